"""Learn the calibration curve: isotonic regression, kept as knots."""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import IsotonicRegression

from features.declarations import FloatArray
from serving.calibration import Knots


def fit_knots(raw: FloatArray, label: FloatArray, weight: FloatArray) -> Knots:
    """Return the non-decreasing curve from raw predictions to shares that fits best.

    Each array has shape (rows,). Where the best fit is a flat 0 or 1, the curve stops half a
    unit of evidence short of it: that no unit of 1,000 came back doesn't mean that none can, and
    a single one would then cost infinitely much.
    """
    exact = IsotonicRegression(out_of_bounds="clip")
    fitted = exact.fit_transform(raw, label, sample_weight=weight)
    least = 0.5 / (weight[fitted <= 0].sum() + 1) if (fitted <= 0).any() else 0.0
    short_of_one = 0.5 / (weight[fitted >= 1].sum() + 1) if (fitted >= 1).any() else 0.0
    bounded = IsotonicRegression(y_min=least, y_max=1 - short_of_one, out_of_bounds="clip")
    bounded.fit(raw, label, sample_weight=weight)
    return Knots(
        np.asarray(bounded.X_thresholds_, np.float64), np.asarray(bounded.y_thresholds_, np.float64)
    )
