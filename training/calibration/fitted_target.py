"""Turn the boosters of a target into a calibrated model, by what its origins predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import FloatArray, IntArray
from serving.conformal.cells import IntervalContext
from serving.demand.lot_demand import LotDemand
from serving.prediction.booster import Booster
from serving.prediction.demand_curve import DemandCurve
from serving.prediction.target_model import DemandModel, ShareModel, TargetModel
from training.calibration.choose import model_curves
from training.calibration.conformal_calibrator import calibrate_target
from training.calibration.demand_curve_fit import fit_demand_curve
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
        curve_fit, residual_fit = self.split.curve_fit, self.split.residual_fit
        lot, order_size = self.training_input.lots
        curve = fit_demand_curve(
            self.raw[curve_fit.rows],
            curve_fit.label,
            curve_fit.weight,
            lot=lot[curve_fit.rows],
            order_size=order_size[curve_fit.rows],
            sharpness=self.training_input.recipe.settings.sharpness,
        )
        rows, label = residual_fit.rows, residual_fit.label
        demand, judged = self._demand(curve, rows), self.context.select(rows)
        listings = self.training_input.training_set.listings[rows]
        sample = subsample(demand.share(), label, judged.evidence, listings=listings)
        model = DemandModel(
            target=self.split.target,
            boosters=boosters,
            calibration_sample=sample,
            curve=curve,
            tails=fit_tails(demand, label, judged, listings=listings),
        )
        predicted = np.flatnonzero(~np.isnan(self.raw))
        estimate = np.full(self.raw.shape, np.nan)
        estimate[predicted] = self._demand(curve, predicted).share()
        return FittedTarget(model, self.context, self.raw, estimate)

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
