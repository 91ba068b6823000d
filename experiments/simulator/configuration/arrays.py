"""Array functions that several mechanisms share."""

from __future__ import annotations

import numpy as np

from features.runtime.arrays import FloatArray, IntArray


def logistic(value: FloatArray) -> FloatArray:
    """Return the shares of log odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-value)), dtype=np.float64)


def choose(rng: np.random.Generator, weights: FloatArray) -> IntArray:
    """Draw a column for each row, with probabilities in proportion to the row's weights."""
    cumulated = np.cumsum(weights, axis=1)
    picked = rng.random(len(weights)) * cumulated[:, -1]
    return np.asarray((picked[:, None] >= cumulated[:, :-1]).sum(axis=1), dtype=np.int64)


def sum_earlier_in_group(group: IntArray, amount: IntArray) -> IntArray:
    """Return for each row the sum of the earlier rows of its group; groups are contiguous."""
    before = np.cumsum(amount) - amount
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if group.size else group
    sizes = np.diff(np.r_[starts, group.size])
    return np.asarray(before - np.repeat(before[starts], sizes), dtype=np.int64)
