"""Measure how good forecasts of a share are.

Losses and calibration are weighted by the target's evidence: units ordered for return risk, one a
row for sell-through. Brier score, coverage and width count each row once, because they are about
single answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray

MIN_SHARE: Final = 1e-6
"""Estimates are kept this far from 0 and 1, so that losses stay finite."""

CALIBRATION_BINS: Final = 10


def weighted_mean(values: FloatArray, weight: FloatArray) -> float:
    """Return the weighted mean of values of shape (rows,)."""
    return float((values * weight).sum() / weight.sum())


def row_log_loss(label: FloatArray, estimate: FloatArray) -> FloatArray:
    """Return the cross-entropy between each row's realised share and its estimate."""
    share = np.clip(estimate, MIN_SHARE, 1 - MIN_SHARE)
    return -(label * np.log(share) + (1 - label) * np.log1p(-share))


def row_entropy(label: FloatArray) -> FloatArray:
    """Return the entropy of each label, the least log loss of any forecast; 0 at 0 and 1."""
    inner = np.clip(label, np.finfo(np.float64).tiny, 1 - np.finfo(np.float64).epsneg)
    return -(label * np.log(inner) + (1 - label) * np.log1p(-inner))


def calibration_error(label: FloatArray, estimate: FloatArray, weight: FloatArray) -> float:
    """Return the mean distance between estimated and realised share over bins of equal weight.

    Rows of equal estimates are never divided: they are in the bin of the first of them.
    """
    values, group = np.unique(estimate, return_inverse=True)
    group_weight = np.bincount(group, weights=weight, minlength=values.size)
    weight_before = np.cumsum(group_weight) - group_weight
    group_bin = (CALIBRATION_BINS * weight_before / group_weight.sum()).astype(np.int64)
    row_bin = np.minimum(group_bin, CALIBRATION_BINS - 1)[group]
    error = np.bincount(row_bin, weights=weight * (label - estimate), minlength=CALIBRATION_BINS)
    return float(np.abs(error).sum() / weight.sum())


@dataclass(frozen=True)
class Forecast:
    """Estimates, intervals and probabilities; each array has shape (rows,), within [0, 1]."""

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    probability: FloatArray
    """Of the target's event, a share at or above the threshold."""

    def select(self, mask: BoolArray) -> Forecast:
        """Return the rows that a mask of shape (rows,) picks."""
        return Forecast(
            self.estimate[mask], self.low[mask], self.high[mask], self.probability[mask]
        )


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The quality of forecasts over some rows."""

    rows: int
    weight: float
    mean_label: float
    mean_estimate: float
    log_loss: float
    deviance: float
    """Log loss minus that of the best possible forecast, the labels themselves."""
    mean_absolute_error: float
    calibration_error: float
    brier: float
    """Brier score of the event that the share reaches the threshold."""
    coverage: float
    """Share of rows within their interval."""
    width: float
    """Mean width of the intervals."""


def measure(
    label: FloatArray, weight: FloatArray, forecast: Forecast, *, threshold: float
) -> Metrics:
    """Measure forecasts against outcomes; all arrays have shape (rows,), rows >= 1."""
    losses = row_log_loss(label, forecast.estimate)
    is_covered = (label >= forecast.low) & (label <= forecast.high)
    return Metrics(
        rows=label.size,
        weight=float(weight.sum()),
        mean_label=weighted_mean(label, weight),
        mean_estimate=weighted_mean(forecast.estimate, weight),
        log_loss=weighted_mean(losses, weight),
        deviance=weighted_mean(losses - row_entropy(label), weight),
        mean_absolute_error=weighted_mean(np.abs(label - forecast.estimate), weight),
        calibration_error=calibration_error(label, forecast.estimate, weight),
        brier=float(((forecast.probability - (label >= threshold)) ** 2).mean()),
        coverage=float(is_covered.mean()),
        width=float((forecast.high - forecast.low).mean()),
    )
