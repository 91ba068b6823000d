"""Choose the kind of calibration curve by how well it predicts groups it wasn't fitted on.

What each kind gained, and where: docs/decisions/calibration-curve.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.calibration import CalibrationCurve
from training.calibration.curves import CurveFitter
from training.metrics.bootstrap import cluster_sums
from training.metrics.metrics import row_log_loss

FOLDS: Final = 5
MIN_GROUPS: Final = 2
"""Fewest groups that a standard error can be computed from."""
MIN_STANDARD_ERRORS: Final = 2.0
"""Standard errors that a gain must exceed."""


def choose_curve(
    raw: FloatArray,
    label: FloatArray,
    weight: FloatArray,
    *,
    curves: Sequence[CurveFitter],
    groups: IntArray,
) -> CalibrationCurve:
    """Fit the first of `curves`, or a later one that is significantly better.

    All arrays have shape (rows,); `groups` number the group of each row, and no fold divides one. A
    later curve replaces the best curve so far if its out-of-fold log loss is lower by more than
    `MIN_STANDARD_ERRORS` standard errors over groups, both with and without the group that gains
    most: one product's mistaken orders are no reason for a curve. Where all rows are in one fold,
    the first curve is taken. Breiman, Friedman, Olshen and Stone (1984, section 3.4.3) prune trees
    by such a rule, with one standard error.
    """
    folds = groups % FOLDS
    rows = raw, label, weight
    best, *others = curves
    if others and np.unique(folds).size > 1:
        best_losses = row_log_loss(label, _predict_out_of_fold(best, rows, folds))
        for fit in others:
            losses = row_log_loss(label, _predict_out_of_fold(fit, rows, folds))
            sums = cluster_sums([best_losses - losses, np.ones_like(weight)], weight, groups)
            if is_significant(sums[:, 0], sums[:, 1]):
                best, best_losses = fit, losses
    return best(*rows)


def is_significant(gains: FloatArray, weight: FloatArray) -> bool:
    """Return True if gains are larger than chance explains.

    `gains` holds each group's sum of gains, `weight` its weight, shape (groups,) each.
    """
    others = np.arange(gains.size) != np.argmax(gains)
    return _is_large(gains, weight) and _is_large(gains[others], weight[others])


def _is_large(gains: FloatArray, weight: FloatArray) -> bool:
    count = gains.size
    if count < MIN_GROUPS:
        return False
    deviation = gains - gains.sum() / weight.sum() * weight
    error = np.sqrt((deviation**2).sum() * count / (count - 1))
    return bool(gains.sum() > MIN_STANDARD_ERRORS * error)


def _predict_out_of_fold(
    fit: CurveFitter, rows: tuple[FloatArray, FloatArray, FloatArray], folds: IntArray
) -> FloatArray:
    """Return each row's estimate by a curve fitted on the other folds, shape (rows,)."""
    raw = rows[0]
    estimate = np.full(raw.shape, np.nan)
    for fold in np.unique(folds):
        is_out = folds == fold
        estimate[is_out] = fit(*(values[~is_out] for values in rows)).apply(raw[is_out])
    return estimate
