"""Hide levels of rows, so that rows of known levels show how rows of unseen levels are predicted.

A column with few levels is taken to have no new ones at prediction.
"""

from __future__ import annotations

import numpy as np

from features.runtime.arrays import IntArray
from training.encoding.columns import MISSING
from training.encoding.out_of_fold import MIN_LEVELS


def hide_levels(codes: IntArray, known_share: float, rng: np.random.Generator) -> IntArray:
    """Return codes in which a share of the rows miss the level of one column with many levels.

    `codes` has shape (rows, columns). A row keeps all its levels with probability `known_share`.
    """
    many = [i for i, column in enumerate(codes.T) if np.unique(column).size >= MIN_LEVELS]
    if not many or known_share >= 1:
        return codes
    is_hidden = rng.random(len(codes)) >= known_share
    column = np.asarray(many)[rng.integers(0, len(many), len(codes))]
    hidden = codes.copy()
    hidden[np.flatnonzero(is_hidden), column[is_hidden]] = MISSING
    return hidden
