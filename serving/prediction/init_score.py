"""Start a target's trees from the share that a formula of all evidence expects.

Trees can't use more evidence than their training rows had, and a young market's rows have little;
a formula with a few learned numbers can. So the trees only correct the formula: their prediction
multiplies its odds, as an offset of the log odds does in the fit. The choice and its measurements:
docs/decisions/init-score.md. Elementary arithmetic only, as in features/declarations/functions.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from features.declarations.return_expectation import NAME
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray

INIT_COLUMNS: Final[Mapping[Target, str]] = {"return_risk": NAME}
"""Target to the input that its trees start from; trees of other targets start from their mean."""
MIN_INIT_SHARE: Final = 1e-3
"""Trees start no nearer to 0 or 1, because they could hardly move away from there."""


def init_column(target: Target, names: Sequence[str]) -> int | None:
    """Return the index of the column that a target's trees start from, None if there is none."""
    columns = (column for column, name in enumerate(names) if name == INIT_COLUMNS.get(target))
    return next(columns, None)


def init_share(matrix: FloatArray, column: int) -> FloatArray:
    """Return the share that each row's trees start from, shape (rows,), never 0 or 1."""
    return np.clip(matrix[:, column], MIN_INIT_SHARE, 1 - MIN_INIT_SHARE)


def apply_init_score(share: FloatArray, matrix: FloatArray, column: int | None) -> FloatArray:
    """Multiply the odds of the trees' prediction `share` by those of their start.

    Both the prediction and the result have shape (rows,). Without a column, trees start from their
    mean and the prediction stays as it is.
    """
    if column is None:
        return share
    start = init_share(matrix, column)
    kept = share * start
    return np.asarray(kept / (kept + (1 - share) * (1 - start)), np.float64)
