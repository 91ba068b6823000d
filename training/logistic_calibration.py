"""A calibration curve with two numbers: the log odds of a prediction, moved and stretched.

Cox 1958, "Two further applications of a model for binary regression"; Platt 1999 fits the same
curve to the outputs of support vector machines.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from features.runtime.arrays import FloatArray
from serving.prediction.calibration import Knots

LEAST_SHARE: Final = 1e-4
"""Predictions nearer to 0 or 1 are taken for this one, and none becomes nearer: log odds know no
end."""
KNOTS: Final = 401
MOST_STRETCH: Final = 20.0
_SIGNIFICANT_DIGITS: Final = 6
"""Further ones differ between machines."""


def fit_logistic(raw: FloatArray, label: FloatArray, weight: FloatArray) -> Knots:
    """Return the curve that loses least on rows, each array of shape (rows,), as knots.

    It never decreases; at worst it is flat. It never reaches 0 or 1.
    """
    odds = _odds(raw)

    def loss(numbers: FloatArray) -> tuple[float, FloatArray]:
        moved, stretched = numbers
        margin = moved + stretched * odds
        losses = np.logaddexp(0.0, margin) - label * margin
        slope = weight * (expit(margin) - label) / weight.sum()
        gradient = np.array([slope.sum(), (slope * odds).sum()])
        return float((weight * losses).sum() / weight.sum()), gradient

    found = minimize(
        loss,
        np.array([0.0, 1.0]),
        method="L-BFGS-B",
        jac=True,
        bounds=[(None, None), (0.0, MOST_STRETCH)],
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 500},
    )
    moved, stretched = (float(f"{number:.{_SIGNIFICANT_DIGITS}g}") for number in found.x)
    at = np.linspace(logit(LEAST_SHARE), logit(1 - LEAST_SHARE), KNOTS)
    share = np.clip(expit(moved + stretched * at), LEAST_SHARE, 1 - LEAST_SHARE)
    return Knots(expit(at), np.maximum.accumulate(share))


def _odds(raw: FloatArray) -> FloatArray:
    return np.asarray(logit(np.clip(raw, LEAST_SHARE, 1 - LEAST_SHARE)), np.float64)
