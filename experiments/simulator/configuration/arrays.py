"""Functions of arrays that several mechanisms share."""

from __future__ import annotations

import numpy as np

from features.runtime.arrays import FloatArray, IntArray


def logistic(value: FloatArray) -> FloatArray:
    """Return the share that belongs to log odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-value)), dtype=np.float64)


def choose(rng: np.random.Generator, weights: FloatArray) -> IntArray:
    """Return one column a row, drawn with probabilities proportional to the row's weights."""
    so_far = np.cumsum(weights, axis=1)
    picked = rng.random(len(weights)) * so_far[:, -1]
    return np.asarray((picked[:, None] >= so_far[:, :-1]).sum(axis=1), dtype=np.int64)


def sum_earlier_in_group(group: IntArray, amount: IntArray) -> IntArray:
    """Return for each row the amounts of the earlier rows of its group; groups stand together."""
    so_far = np.cumsum(amount) - amount
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if group.size else group
    sizes = np.diff(np.r_[starts, group.size])
    return np.asarray(so_far - np.repeat(so_far[starts], sizes), dtype=np.int64)
