"""Choose the kind of calibration curve by how well it predicts products it wasn't fitted on.

What each kind gained, and where: docs/decisions/calibration-curve.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.calibration import CalibrationCurve
from training.calibration.curves import fit_identity, fit_isotonic, fit_logistic
from training.data.time_split import TargetSplit
from training.data.training_set import EncodedColumn
from training.metrics.bootstrap import cluster_sums
from training.metrics.metrics import row_log_loss
from training.settings import CORRECTED_TARGETS

FOLDS: Final = 5
MIN_PRODUCTS: Final = 2
"""Fewest products that a standard error can be computed from."""
MIN_STANDARD_ERRORS: Final = 2.0
"""Standard errors that a gain must exceed."""

CurveFitter = Callable[[FloatArray, FloatArray, FloatArray], CalibrationCurve]
"""Fits a curve to raw predictions, labels and weights, each of shape (rows,)."""

CURVES: Final[tuple[CurveFitter, ...]] = (fit_logistic, fit_isotonic)
"""From the stiffest to the most flexible."""
CURVES_WITH_IDENTITY: Final[tuple[CurveFitter, ...]] = (fit_identity, *CURVES)
"""For predictions that start from a formula (training/shrinkage/learned_parameters.py), which is
calibrated to begin with: a curve of few products would add more noise than it takes away."""


def model_curves(target: Target) -> Sequence[CurveFitter]:
    """Return the curves allowed for a model; trees that correct a formula may need none."""
    return CURVES_WITH_IDENTITY if target in CORRECTED_TARGETS else default_curves(target)


def default_curves(target: Target) -> Sequence[CurveFitter]:
    """Return the curves allowed for predictions of a target that start from no formula."""
    return CURVES if target in CORRECTED_TARGETS else (fit_isotonic,)


def curve_fitter(
    split: TargetSplit, products: EncodedColumn, curves: Sequence[CurveFitter]
) -> CurveFitter:
    """Return a fitter that chooses among `curves` for the curve half of a split."""
    rows = split.curve_fit.rows
    return partial(
        choose_curve,
        curves=curves,
        folds=assign_folds(products)[rows],
        products=products.codes[rows],
    )


def choose_curve(  # noqa: PLR0913 - a curve fitter's arguments, and how to choose
    raw: FloatArray,
    label: FloatArray,
    weight: FloatArray,
    *,
    curves: Sequence[CurveFitter],
    folds: IntArray,
    products: IntArray,
) -> CalibrationCurve:
    """Fit the first of `curves`, or a later one that is significantly better.

    All arrays have shape (rows,); `folds` come from `assign_folds`, `products` number the product
    of each row. A later curve replaces the best curve so far if its out-of-fold log loss is lower
    by more than `MIN_STANDARD_ERRORS` standard errors over products, both with and without the
    product that gains most: one product's mistaken orders are no reason for a curve. Where all rows
    are in one fold, the first curve is taken. Breiman, Friedman, Olshen and Stone (1984, section
    3.4.3) prune trees by such a rule, with one standard error.
    """
    rows = raw, label, weight
    best, *others = curves
    if others and np.unique(folds).size > 1:
        best_losses = row_log_loss(label, _predict_out_of_fold(best, rows, folds))
        for fit in others:
            losses = row_log_loss(label, _predict_out_of_fold(fit, rows, folds))
            sums = cluster_sums([best_losses - losses, np.ones_like(weight)], weight, products)
            if is_significant(sums[:, 0], sums[:, 1]):
                best, best_losses = fit, losses
    return best(*rows)


def is_significant(gains: FloatArray, weight: FloatArray) -> bool:
    """Return True if gains are larger than chance explains.

    `gains` holds each product's sum of gains, `weight` its weight, shape (products,) each.
    """
    others = np.arange(gains.size) != np.argmax(gains)
    return _is_large(gains, weight) and _is_large(gains[others], weight[others])


def _is_large(gains: FloatArray, weight: FloatArray) -> bool:
    count = gains.size
    if count < MIN_PRODUCTS:
        return False
    deviation = gains - gains.sum() / weight.sum() * weight
    error = np.sqrt((deviation**2).sum() * count / (count - 1))
    return bool(gains.sum() > MIN_STANDARD_ERRORS * error)


def assign_folds(products: EncodedColumn) -> IntArray:
    """Return the fold of each row's product, shape (rows,), the same in every run.

    The listings of a product share its quality. In different folds, they would make a flexible
    curve look good wherever raw predictions lack no more than the product's own quality.
    """
    digests = (hashlib.sha256(name.encode()).digest() for name in products.names)
    product_folds = np.array([digest[1] % FOLDS for digest in digests], np.int64)
    return product_folds[products.codes]


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
