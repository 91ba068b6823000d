"""Predict one target: boosters, calibration, conformal residuals and a calibration sample."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.declarations.targets import TARGETS, Target
from features.runtime.arrays import FloatArray
from serving.conformal.calibration_sample import CalibrationSample
from serving.conformal.cells import IntervalContext
from serving.conformal.intervals import ConformalResiduals
from serving.errors import BrokenFileError, InvalidPredictionError
from serving.prediction.booster import Booster
from serving.prediction.calibration import CalibrationCurve
from serving.prediction.init_score import apply_init_score, init_column

REQUIRED_TARGET: Final[Target] = "sell_through"
"""Every data set has orders, and no candidate can be ranked without sell-through."""


def servable_targets(source: str, names: Collection[str]) -> tuple[Target, ...]:
    """Return the targets that `source` names, in the order of `TARGETS`.

    Raises:
        BrokenFileError: a target isn't known, or sell-through isn't among them.
    """
    if REQUIRED_TARGET not in names or not set(names) <= set(TARGETS):
        raise BrokenFileError(source, f"it has the targets {sorted(names)}")
    return tuple(target for target in TARGETS if target in names)


@dataclass(frozen=True)
class TargetModel:
    """The model that predicts one target from the design matrix.

    The raw prediction is the mean of `boosters`, which differ in seeds and objectives, applied to
    the start of the target's trees (serving/prediction/init_score.py). `calibration` turns it into
    the estimate, and `residuals` give the interval around it.
    """

    target: Target
    boosters: tuple[Booster, ...]
    calibration: CalibrationCurve
    residuals: ConformalResiduals
    calibration_sample: CalibrationSample
    """Past decisions that selection compares candidates with (serving/scoring/selection.py)."""

    def __post_init__(self) -> None:
        """Refuse a model without boosters."""
        if not self.boosters:
            raise BrokenFileError(f"the model of {self.target}", "it has no boosters")

    def predict_raw(self, matrix: FloatArray) -> FloatArray:
        """Return the mean of the boosters' predictions, applied to their start; (rows,)."""
        return raw_share(self.target, self.boosters, matrix)

    def predict(self, matrix: FloatArray) -> FloatArray:
        """Return the calibrated estimates, shape (rows,), each finite and in [0, 1].

        Raises:
            InvalidPredictionError: a booster or the calibration gives anything else.
        """
        raw = self.predict_raw(matrix)
        estimate = self.calibration.apply(raw)
        is_share = np.isfinite(raw) & (estimate >= 0) & (estimate <= 1)
        if not is_share.all():
            raise InvalidPredictionError(self.target, int((~is_share).sum()))
        return estimate

    def interval(
        self, estimate: FloatArray, context: IntervalContext, *, coverage: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high around each estimate; `coverage` is in (0, 1)."""
        return self.residuals.interval(estimate, context, coverage=coverage)

    def prob_at_least(
        self, estimate: FloatArray, context: IntervalContext, *, threshold: float
    ) -> FloatArray:
        """Return the probability that the outcome is at least `threshold`, in (0, 1]."""
        return self.residuals.prob_at_least(estimate, context, threshold=threshold)


def raw_share(target: Target, boosters: tuple[Booster, ...], matrix: FloatArray) -> FloatArray:
    """Return the raw prediction of boosters that aren't a model yet, shape (rows,)."""
    column = init_column(target, boosters[0].feature_names)
    return apply_init_score(mean_prediction(boosters, matrix), matrix, column)


def mean_prediction(boosters: tuple[Booster, ...], matrix: FloatArray) -> FloatArray:
    """Return the mean of the raw predictions, added in the boosters' order.

    Boosters that learned from units (training/boosting/objectives.py) may predict more than 1; it
    counts as 1. A value that isn't finite stays, so that `predict` refuses it.
    """
    total = np.zeros(len(matrix))
    for booster in boosters:
        prediction = booster.predict(matrix)
        total = total + np.where((prediction > 1) & np.isfinite(prediction), 1.0, prediction)
    return total / len(boosters)
