"""Choose the calibration curve that foretells products best that it hasn't seen.

Isotonic regression can follow any curve, and pays for it in noise; a logistic one can't, and
doesn't. Where predictions are nearly right the noise costs more: on the medium simulated market
(seed 0) the expected return rate had 0.60 of the explainable gain as it is, 0.58 after isotonic
regression and 0.60 after the logistic curve; on three small ones return risk had 0.02 to 0.11 more
after the logistic curve. And no curve at all costs nothing: on Online Retail's three latest slices
return risk lost 0.0007, 0.0002 and 0.0025 less as it is than after the logistic curve.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.calibration import CalibrationCurve
from training.calibration.curves import MIN_SHARE, fit_isotonic, fit_logistic
from training.data.training_set import EncodedColumn
from training.metrics.bootstrap import cluster_sums
from training.metrics.metrics import row_log_loss

FOLDS: Final = 5
MIN_PRODUCTS: Final = 2
"""One product has no spread."""
MIN_STANDARD_ERRORS: Final = 2.0
"""Standard errors that a gain must exceed."""

CalibrationRows = tuple[FloatArray, FloatArray, FloatArray]
"""Raw predictions, labels and weights, each of shape (rows,)."""
CurveFitter = Callable[[FloatArray, FloatArray, FloatArray], CalibrationCurve]


def fit_identity(_raw: FloatArray, _label: FloatArray, _weight: FloatArray) -> CalibrationCurve:
    """Return the curve that changes nothing; like the logistic one it never reaches 0 or 1."""
    ends = np.array([MIN_SHARE, 1 - MIN_SHARE])
    return CalibrationCurve(ends, ends)


CURVES: Final[tuple[CurveFitter, ...]] = (fit_logistic, fit_isotonic)
"""The more one can follow, the later it stands."""
CURVES_WITH_IDENTITY: Final[tuple[CurveFitter, ...]] = (fit_identity, *CURVES)
"""For predictions that start from a formula whose numbers were learned on these rows, and little on
others (training/shrinkage/learned_parameters.py): a curve would fit once more what chance they
fitted."""


def choose_curve(
    curves: Sequence[CurveFitter], rows: CalibrationRows, *, folds: IntArray, products: IntArray
) -> CalibrationCurve:
    """Return the first of the curves, unless a later one is surely better than that chosen so far.

    All arrays have shape (rows,); `folds` are those of `assign_folds`, `products` says whose row it
    is. Better is less log loss on folds. Sure is a gain of more than `MIN_STANDARD_ERRORS` standard
    errors over products, of all of them and without the one that gains most: what one product's
    mistaken orders decide is no reason for a curve. Where all rows are in one fold nothing is sure.
    Trees are pruned by such a rule, with one standard error (Breiman, Friedman, Olshen and Stone
    1984, section 3.4.3).
    """
    _, label, weight = rows
    chosen, *others = curves
    if others and np.unique(folds).size > 1:
        least = row_log_loss(label, _predict_out_of_fold(chosen, rows, folds))
        for fit in others:
            losses = row_log_loss(label, _predict_out_of_fold(fit, rows, folds))
            sums = cluster_sums([least - losses, np.ones_like(weight)], weight, products)
            if is_significant(sums[:, 0], sums[:, 1]):
                chosen, least = fit, losses
    return chosen(*rows)


def is_significant(gains: FloatArray, weight: FloatArray) -> bool:
    """Tell whether gains are no luck: products' sums, and their weights, each (products,)."""
    others = np.arange(gains.size) != np.argmax(gains)
    return _is_large(gains, weight) and _is_large(gains[others], weight[others])


def _is_large(gains: FloatArray, weight: FloatArray) -> bool:
    count = gains.size
    if count < MIN_PRODUCTS:
        return False
    apart = gains - gains.sum() / weight.sum() * weight
    error = np.sqrt((apart**2).sum() * count / (count - 1))
    return bool(gains.sum() > MIN_STANDARD_ERRORS * error)


def assign_folds(products: EncodedColumn) -> IntArray:
    """Return the fold of each row, shape (rows,): its product's, the same in every run.

    Listings of a product share its quality. Parted, steps that fit one would fit the other too,
    and would be chosen where all that raw predictions lack is each product's own.
    """
    digests = (hashlib.sha256(name.encode()).digest() for name in products.names)
    of_product = np.array([digest[1] % FOLDS for digest in digests], np.int64)
    return of_product[products.codes]


def _predict_out_of_fold(fit: CurveFitter, rows: CalibrationRows, folds: IntArray) -> FloatArray:
    """Return what a kind of curve says of each fold, learned from the others."""
    raw = rows[0]
    said = np.full(raw.shape, np.nan)
    for one in np.unique(folds):
        is_out = folds == one
        said[is_out] = fit(*(values[~is_out] for values in rows)).apply(raw[is_out])
    return said
