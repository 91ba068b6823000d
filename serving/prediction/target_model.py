"""Predict one target: boosters, calibration, conformal residuals and a calibration sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from features.declarations.return_expectation import NAME as FORMULA
from features.declarations.targets import TARGETS, Target
from features.runtime.arrays import FloatArray
from serving.conformal.calibration_sample import CalibrationSample
from serving.conformal.cell_residuals import MondrianResiduals
from serving.conformal.demand_tails import DemandTails
from serving.conformal.intervals import ConformalResiduals
from serving.demand.lot_demand import share_of_margin
from serving.errors import BrokenFileError, InvalidPredictionError
from serving.prediction.booster import Booster
from serving.prediction.calibration import CalibrationCurve
from serving.prediction.demand_curve import DemandCurve
from serving.prediction.init_score import LOT, ORDER_SIZE, init_score
from serving.prediction.outlook import DemandOutlook, Outlook, ShareOutlook

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
class MarginParts:
    """What moves the margin of each row: it is the sum of all parts."""

    inputs: FloatArray
    """Shape (rows, inputs)."""
    calendar: FloatArray
    """Shape (rows,)."""
    constant: float


@dataclass(frozen=True, kw_only=True)
class TargetModel(ABC):
    """The model that predicts one target from the design matrix."""

    target: Target
    boosters: tuple[Booster, ...]
    """They differ in their seeds; the mean of their sums of trees counts."""
    calibration_sample: CalibrationSample
    """Past decisions that selection compares candidates with (serving/scoring/selection.py)."""

    def __post_init__(self) -> None:
        """Refuse a model without boosters."""
        if not self.boosters:
            raise BrokenFileError(f"the model of {self.target}", "it has no boosters")

    @property
    @abstractmethod
    def residuals(self) -> MondrianResiduals:
        """Return the residuals that give the intervals."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of the design matrix's columns."""
        return self.boosters[0].feature_names

    def predict(self, matrix: FloatArray, uplift: FloatArray) -> Outlook:
        """Return the outlook for rows of the design matrix.

        `uplift` is the demand that a calendar expects as a multiple of the usual one, shape
        (rows,) (serving/prediction/seasonality.py).

        Raises:
            InvalidPredictionError: a booster gives a value that isn't finite.
        """
        raw = sum_of_trees(self.boosters, matrix)
        is_finite = np.isfinite(raw)
        if not is_finite.all():
            raise InvalidPredictionError(self.target, int((~is_finite).sum()))
        return self._outlook(raw, matrix, uplift)

    @abstractmethod
    def _outlook(self, raw: FloatArray, matrix: FloatArray, uplift: FloatArray) -> Outlook:
        """Return the outlook for sums of trees."""

    @abstractmethod
    def split_margin(self, matrix: FloatArray, uplift: FloatArray) -> MarginParts:
        """Return what each input adds to the margin that a share is computed from."""

    @abstractmethod
    def share_of_margin(self, margin: FloatArray) -> FloatArray:
        """Return the share for each margin; it never falls as the margin rises."""


@dataclass(frozen=True, kw_only=True)
class ShareModel(TargetModel):
    """Predict the share of ordered units that come back: trees correct a formula's log odds."""

    calibration: CalibrationCurve
    conformal: ConformalResiduals

    @property
    def residuals(self) -> ConformalResiduals:
        """Return the residuals of shares."""
        return self.conformal

    def _outlook(self, raw: FloatArray, matrix: FloatArray, _: FloatArray) -> ShareOutlook:
        return ShareOutlook(
            self.calibration.apply(corrected_share(raw, matrix, self.names)), self.conformal
        )

    def split_margin(self, matrix: FloatArray, _: FloatArray) -> MarginParts:
        """Return the parts of the log odds; those that trees start from are the formula's."""
        inputs, constant = split_trees(self.boosters, matrix)
        inputs[:, self.names.index(FORMULA)] += init_score("return_risk", matrix, self.names)
        return MarginParts(inputs, np.zeros(len(matrix)), constant)

    def share_of_margin(self, margin: FloatArray) -> FloatArray:
        """Return the calibrated share for log odds."""
        return self.calibration.apply(share_of_log_odds(margin))


@dataclass(frozen=True, kw_only=True)
class DemandModel(TargetModel):
    """Predict the share of a lot that sells: trees learn the demand behind it."""

    curve: DemandCurve
    tails: DemandTails

    @property
    def residuals(self) -> DemandTails:
        """Return how far out the units sold fell."""
        return self.tails

    def _outlook(self, raw: FloatArray, matrix: FloatArray, uplift: FloatArray) -> DemandOutlook:
        lot, order_size = (matrix[:, self.names.index(name)] for name in (LOT, ORDER_SIZE))
        return DemandOutlook(self.curve.apply(raw, lot, order_size, uplift=uplift), self.tails)

    def split_margin(self, matrix: FloatArray, uplift: FloatArray) -> MarginParts:
        """Return the parts of the logarithm of demand over the lot; the lot is a part."""
        inputs, constant = split_trees(self.boosters, matrix)
        curve = self.curve
        inputs *= curve.stretch
        inputs[:, self.names.index(LOT)] += init_score("sell_through", matrix, self.names)
        return MarginParts(inputs, np.log(uplift), curve.shift + curve.stretch * constant)

    def share_of_margin(self, margin: FloatArray) -> FloatArray:
        """Return the share of a lot that sells where demand is so many times the lot."""
        return self.curve.chance * share_of_margin(margin, self.curve.sharpness)


def corrected_share(raw: FloatArray, matrix: FloatArray, names: Sequence[str]) -> FloatArray:
    """Return the shares of return risk before calibration, shape (rows,)."""
    return share_of_log_odds(raw + init_score("return_risk", matrix, names))


def share_of_log_odds(log_odds: FloatArray) -> FloatArray:
    """Return the share for each of the log odds."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -log_odds)), np.float64)


def sum_of_trees(boosters: tuple[Booster, ...], matrix: FloatArray) -> FloatArray:
    """Return the mean over boosters of the sums of their trees, added in the boosters' order."""
    total = np.zeros(len(matrix))
    for booster in boosters:
        total = total + booster.sum_trees(matrix)
    return total / len(boosters)


def split_trees(boosters: tuple[Booster, ...], matrix: FloatArray) -> tuple[FloatArray, float]:
    """Return the mean over boosters of what each input adds, shape (rows, inputs), and of the rest.

    The rest is the same for all rows.
    """
    parts = np.mean([booster.split_trees(matrix) for booster in boosters], axis=0)
    return parts[:, :-1], float(parts[0, -1])
