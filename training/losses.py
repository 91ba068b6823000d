"""Losses of shares: each row's, and means over rows.

All are about estimates and labels within [0, 1], each of shape (rows,).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray

LEAST_SHARE: Final = 1e-6
"""An estimate nearer to 0 or 1 is judged as this one, so that a loss stays finite."""

CALIBRATION_BINS: Final = 10


def weighted_mean(values: FloatArray, weight: FloatArray) -> float:
    """Return the mean of values, each counted by its weight."""
    return float((values * weight).sum() / weight.sum())


def row_log_loss(label: FloatArray, estimate: FloatArray) -> FloatArray:
    """Return each row's cross-entropy between the share that came true and its estimate."""
    share = np.clip(estimate, LEAST_SHARE, 1 - LEAST_SHARE)
    return -(label * np.log(share) + (1 - label) * np.log1p(-share))


def row_entropy(label: FloatArray) -> FloatArray:
    """Return each label's own entropy, 0 at 0 and 1: no forecast's log loss is below it."""
    inner = np.clip(label, np.finfo(np.float64).tiny, 1 - np.finfo(np.float64).epsneg)
    return -(label * np.log(inner) + (1 - label) * np.log1p(-inner))


def calibration_error(label: FloatArray, estimate: FloatArray, weight: FloatArray) -> float:
    """Return the mean distance between estimated and true share over bins of equal weight.

    Rows of equal estimate are never parted: they share the bin in which the first of them lies.
    """
    values, group = np.unique(estimate, return_inverse=True)
    group_weight = np.bincount(group, weights=weight, minlength=values.size)
    lies_behind = np.cumsum(group_weight) - group_weight
    group_bin = (CALIBRATION_BINS * lies_behind / group_weight.sum()).astype(np.int64)
    place = np.minimum(group_bin, CALIBRATION_BINS - 1)[group]
    error = np.bincount(place, weights=weight * (label - estimate), minlength=CALIBRATION_BINS)
    return float(np.abs(error).sum() / weight.sum())
