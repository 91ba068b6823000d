"""How much of a share's spread stays, however many units it is a share of."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.optimize import nnls

from features.declarations import FloatArray
from serving.residuals import spread

LEAST_LASTING: Final = 1e-3
"""No number of units makes a share certain: the chance behind it is itself only estimated."""


def learn_lasting(estimate: FloatArray, outcome: FloatArray, units: FloatArray) -> float:
    """Return the lasting part of the spread (serving/residuals.py) in [0.001, 1].

    Fits squared errors by least squares as v(a + b/units), a and b at least 0, where v is the
    variance of a single unit, each row weighted by 1/v; the part is a/(a + b). 1, which leaves
    units out, where no error was made. Each array has shape (rows,), of rows whose residuals are
    not used for intervals.
    """
    single = spread(estimate, np.ones_like(units), 1.0)
    both = np.column_stack([single, single / units])
    (lasting, dice), _ = nnls(both, (outcome - estimate) ** 2 / single)
    total = lasting + dice
    return 1.0 if total == 0 else float(max(lasting / total, LEAST_LASTING))
