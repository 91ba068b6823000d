"""Where a target's trees start: at the share that a formula of all evidence expects.

Trees say nothing of evidence beyond what they learned from, and a young market's training rows
hold little; a formula with a few learned numbers goes on counting. So the trees only correct it:
their prediction multiplies its odds, as an offset of the log odds does in the fit. On the medium
simulated market (seeds 0, 1, 2) return risk's share of the explainable gain is 0.60, 0.61, 0.60 of
the formula alone and 0.61, 0.63, 0.62 of trees that start from it; of trees that only saw an
earlier formula among their inputs it was 0.49 (seed 0), where that alone had 0.53. Elementary
arithmetic only, as in features/declarations/functions.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from features.declarations.return_expectation import NAME
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray

INIT_COLUMNS: Final[Mapping[Target, str]] = {"return_risk": NAME}
"""The input that each target's trees start from; those of other targets start from their mean."""
MIN_INIT_SHARE: Final = 1e-3
"""Trees start no nearer to 0 or 1, from where they could hardly return."""


def init_column(target: Target, names: Sequence[str]) -> int | None:
    """Return the column of the design matrix that a target's trees start from, None without."""
    places = (place for place, name in enumerate(names) if name == INIT_COLUMNS.get(target))
    return next(places, None)


def init_share(matrix: FloatArray, place: int) -> FloatArray:
    """Return the share from which each row's trees start, shape (rows,), never 0 or 1."""
    return np.clip(matrix[:, place], MIN_INIT_SHARE, 1 - MIN_INIT_SHARE)


def apply_init_score(share: FloatArray, matrix: FloatArray, place: int | None) -> FloatArray:
    """Return what trees mean by `share`, both of shape (rows,): a factor of the start's odds."""
    if place is None:
        return share
    start = init_share(matrix, place)
    kept = share * start
    return np.asarray(kept / (kept + (1 - share) * (1 - start)), np.float64)
