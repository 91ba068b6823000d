"""Turn the boosters of a target into a calibrated model, by what its origins predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import FloatArray, IntArray
from serving.conformal.cells import IntervalContext
from serving.conformal.demand_tails import DemandTails
from serving.demand.lot_demand import LotDemand
from serving.prediction.booster import Booster
from serving.prediction.demand_curve import MIN_CHANCE, DemandCurve
from serving.prediction.target_model import DemandModel, ShareModel, TargetModel
from training.calibration.choose import model_curves
from training.calibration.conformal_calibrator import calibrate_target
from training.calibration.demand_curve_fit import fit_demand_curve
from training.calibration.level_drift import LEVELS, learn_drift
from training.calibration.residuals import fit_tails, subsample
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput


@dataclass(frozen=True)
class FittedTarget:
    """A target's model; the arrays cover all rows of the training set."""

    model: TargetModel
    context: IntervalContext
    raw: FloatArray
    """Raw predictions of the calibration rows, each by the boosters of its origin; NaN for other
    rows."""
    forward: FloatArray
    """The same after calibration."""


@dataclass(frozen=True)
class ForwardRows:
    """The calibration rows of a target, as the boosters of their origins predict them."""

    training_input: TrainingInput
    split: TargetSplit
    context: IntervalContext
    raw: FloatArray
    """Raw predictions of all rows of the training set, NaN for other rows."""

    def calibrate_demand(self, boosters: tuple[Booster, ...]) -> FittedTarget:
        """Return the model of sell-through.

        Its curve is fitted on one half of the rows, and its tails are collected on the other.
        """
        curve = self.fit_curve()
        moves, rows = self.level_moves(curve), self.split.residual_fit.rows
        one_each = moves[np.arange(rows.size), np.arange(rows.size) % LEVELS]
        sample = subsample(
            self._demand(curve, rows).move(one_each).share(),
            self.split.residual_fit.label,
            self.context.evidence[rows],
            listings=self.training_input.training_set.listings[rows],
        )
        model = DemandModel(
            target=self.split.target,
            boosters=boosters,
            calibration_sample=sample,
            curve=curve,
            tails=self.collect_tails(curve, moves),
        )
        predicted = np.flatnonzero(~np.isnan(self.raw))
        estimate = np.full(self.raw.shape, np.nan)
        estimate[predicted] = self._demand(curve, predicted).share()
        return FittedTarget(model, self.context, self.raw, estimate)

    def fit_curve(self, *, min_chance: float = MIN_CHANCE) -> DemandCurve:
        """Return the demand curve of one half of the rows."""
        sample = self.split.curve_fit
        lot, order_size = (values[sample.rows] for values in self.training_input.lots)
        return fit_demand_curve(
            self.raw[sample.rows],
            sample.label,
            sample.weight,
            lot=lot,
            order_size=order_size,
            sharpness=self.training_input.recipe.settings.sharpness,
            min_chance=min_chance,
        )

    def level_moves(self, curve: DemandCurve) -> FloatArray:
        """Return the moves of demand under which the rows of the other half count.

        The result has shape (rows, `LEVELS`).
        """
        predicted = [fold.predicted for fold in self.split.folds]
        listings = self.training_input.training_set.listings
        drift = learn_drift(
            [(self._demand(curve, one.rows), one, listings[one.rows]) for one in predicted]
        )
        moves = np.zeros((self.raw.size, LEVELS))
        for origin, sample in enumerate(predicted):
            moves[sample.rows] = drift.moves(origin)
        return moves[self.split.residual_fit.rows]

    def collect_tails(self, curve: DemandCurve, moves: FloatArray | None) -> DemandTails:
        """Return how far out the outcomes of the other half fell, without moves as they were."""
        sample = self.split.residual_fit
        return fit_tails(
            self._demand(curve, sample.rows),
            sample.label,
            self.context.select(sample.rows),
            listings=self.training_input.training_set.listings[sample.rows],
            moves=moves,
        )

    def calibrate_shares(self, boosters: tuple[Booster, ...]) -> FittedTarget:
        """Return the model of return risk."""
        calibrator = calibrate_target(
            self.raw,
            self.context,
            self.split,
            keys=self.training_input.training_set.keys,
            curves=model_curves(self.split.target),
        )
        model = ShareModel(
            target=self.split.target,
            boosters=boosters,
            calibration_sample=calibrator.sample,
            calibration=calibrator.curve,
            conformal=calibrator.residuals,
        )
        return FittedTarget(model, self.context, self.raw, calibrator.curve.apply(self.raw))

    def _demand(self, curve: DemandCurve, rows: IntArray) -> LotDemand:
        lot, order_size = (values[rows] for values in self.training_input.lots)
        return curve.apply(self.raw[rows], lot, order_size, uplift=self.training_input.demand[rows])
