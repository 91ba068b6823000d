"""Fit calibration curves: identity, logistic, and isotonic regression over groups of rows.

Why isotonic regression sees groups instead of single rows: docs/decisions/isotonic-groups.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.calibration import CalibrationCurve

CurveFitter = Callable[[FloatArray, FloatArray, FloatArray], CalibrationCurve]
"""Fits a curve to raw predictions, labels and weights, each of shape (rows,)."""

MIN_SHARE: Final = 1e-4
"""Shares are kept this far from 0 and 1, where log odds are infinite."""
CURVE_POINTS: Final = 401
MAX_STRETCH: Final = 20.0
_SIGNIFICANT_DIGITS: Final = 6
"""Further digits differ between machines."""


def fit_identity(_raw: FloatArray, _label: FloatArray, _weight: FloatArray) -> CalibrationCurve:
    """Return the curve that changes nothing, except that it never reaches 0 or 1."""
    ends = np.array([MIN_SHARE, 1 - MIN_SHARE])
    return CalibrationCurve(ends, ends)


def fit_logistic(
    raw: FloatArray,
    label: FloatArray,
    weight: FloatArray,
    *,
    slope_weight: FloatArray | None = None,
) -> CalibrationCurve:
    """Return the line over log odds with the least weighted log loss.

    Each array has shape (rows,). `slope_weight` decides the slope in place of `weight`, which then
    decides the shift alone. The curve never decreases and never reaches 0 or 1.
    """
    odds = _log_odds(raw)
    weights = weight if slope_weight is None else slope_weight
    shift, stretch = _fit_line(odds, label, weights, stretches=(0.0, MAX_STRETCH))
    if slope_weight is not None:
        shift, _ = _fit_line(odds, label, weight, stretches=(stretch, stretch))
    points = np.linspace(logit(MIN_SHARE), logit(1 - MIN_SHARE), CURVE_POINTS)
    share = np.clip(expit(shift + stretch * points), MIN_SHARE, 1 - MIN_SHARE)
    return CalibrationCurve(expit(points), np.maximum.accumulate(share))


def _fit_line(
    odds: FloatArray, label: FloatArray, weight: FloatArray, *, stretches: tuple[float, float]
) -> tuple[float, float]:
    """Return the shift and the slope, within bounds, with the least weighted log loss."""

    def loss(parameters: FloatArray) -> tuple[float, FloatArray]:
        shift, stretch = parameters
        margin = shift + stretch * odds
        losses = np.logaddexp(0.0, margin) - label * margin
        slope = weight * (expit(margin) - label) / weight.sum()
        gradient = np.array([slope.sum(), (slope * odds).sum()])
        return float((weight * losses).sum() / weight.sum()), gradient

    result = minimize(
        loss,
        np.array([0.0, np.clip(1.0, *stretches)]),
        method="L-BFGS-B",
        jac=True,
        bounds=[(None, None), stretches],
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 500},
    )
    shift, stretch = (float(f"{number:.{_SIGNIFICANT_DIGITS}g}") for number in result.x)
    return shift, stretch


def _log_odds(raw: FloatArray) -> FloatArray:
    return np.asarray(logit(np.clip(raw, MIN_SHARE, 1 - MIN_SHARE)), np.float64)


GROUPS: Final = 100
"""Groups of about equal weight; rows of equal predictions are in one group."""


def fit_isotonic(
    raw: FloatArray, label: FloatArray, weight: FloatArray, groups: int = GROUPS
) -> CalibrationCurve:
    """Return a non-decreasing curve from raw predictions to shares.

    Each array has shape (rows,). Rows are grouped in the order of their predictions, and isotonic
    regression is fitted to the groups' mean labels at their mean predictions. Where the best fit is
    a flat 0 or 1, the curve stops half a unit of evidence short of it: none of 1,000 units came
    back doesn't mean that none can, and a single return would then have an infinite loss.
    """
    group = _group_rows(raw, weight, groups)
    weights = np.bincount(group, weights=weight)
    predicted = np.bincount(group, weights=weight * raw) / weights
    share = np.clip(np.bincount(group, weights=weight * label) / weights, 0, 1)
    fitted = IsotonicRegression().fit_transform(predicted, share, sample_weight=weights)
    above_zero = 0.5 / (weights[fitted <= 0].sum() + 1) if (fitted <= 0).any() else 0.0
    below_one = 0.5 / (weights[fitted >= 1].sum() + 1) if (fitted >= 1).any() else 0.0
    bounded = IsotonicRegression(y_min=above_zero, y_max=1 - below_one)
    bounded.fit(predicted, share, sample_weight=weights)
    return CalibrationCurve(
        np.asarray(bounded.X_thresholds_, np.float64), np.asarray(bounded.y_thresholds_, np.float64)
    )


def _group_rows(raw: FloatArray, weight: FloatArray, groups: int) -> IntArray:
    """Return each row's group, numbered from 0 without gaps in the order of predictions."""
    _, index = np.unique(raw, return_inverse=True)
    mass = np.bincount(index, weights=weight)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    coarse = np.minimum((middle * groups).astype(np.int64), groups - 1)
    _, group = np.unique(coarse, return_inverse=True)
    return np.asarray(group[index], np.int64)
