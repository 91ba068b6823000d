"""What trees are added to while they grow: the log odds of serving/prediction/init_score.py."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.prediction.init_score import place_of_start, starting_share


def start_log_odds(target: Target, matrix: FloatArray, names: Sequence[str]) -> FloatArray | None:
    """Return the offset of each row, shape (rows,); None where trees start from their mean."""
    place = place_of_start(target, names)
    if place is None:
        return None
    start = starting_share(matrix, place)
    return np.asarray(np.log(start) - np.log1p(-start), np.float64)
