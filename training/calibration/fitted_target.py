"""Turn the boosters of a target into a calibrated model, by what its origins predicted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray, IntArray
from serving.conformal.cells import IntervalContext
from serving.demand.lot_demand import LotDemand
from serving.prediction.booster import Booster
from serving.prediction.demand_curve import MIN_CHANCE, DemandCurve
from serving.prediction.target_model import DemandModel, ShareModel, TargetModel
from training.calibration.conformal_calibrator import calibrate_target
from training.calibration.curves import CurveFitter, fit_logistic
from training.calibration.demand_curve_fit import fit_demand_curve
from training.calibration.demand_drift import DRIFTS, learn_drift
from training.calibration.residuals import fit_tails, subsample
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput

EARLIER_ORIGIN: Final = 0.1
"""How much an origin's rows weigh for the slope of the curve of shares, relative to the next's."""


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
        model = self.build_model(boosters, curve, self.learn_drifts(curve))
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

    def learn_drifts(self, curve: DemandCurve) -> FloatArray:
        """Learn the drifts of demand under which the rows of the other half count.

        The result has shape (rows, `DRIFTS`).
        """
        predicted = [fold.predicted for fold in self.split.folds]
        listings = self.training_input.training_set.listings
        learned = learn_drift(
            [(self._demand(curve, rows.rows), rows, listings[rows.rows]) for rows in predicted]
        )
        drifts = np.zeros((self.raw.size, DRIFTS))
        for origin, sample in enumerate(predicted):
            drifts[sample.rows] = learned.differences(origin)
        return drifts[self.split.residual_fit.rows]

    def build_model(
        self, boosters: tuple[Booster, ...], curve: DemandCurve, drifts: FloatArray | None
    ) -> DemandModel:
        """Return the model with a curve, and with the outcomes of the other half around it.

        Without drifts these count as they were. Past decisions for selection have one drift each,
        drawn at random, and the same at each call.
        """
        sample = self.split.residual_fit
        demand = self._demand(curve, sample.rows)
        context = self.context.select(sample.rows)
        listings = self.training_input.training_set.listings[sample.rows]
        past = demand
        if drifts is not None:
            drawn = np.random.default_rng(0).integers(DRIFTS, size=sample.rows.size)
            past = demand.drift(drifts[np.arange(drawn.size), drawn])
        return DemandModel(
            target=self.split.target,
            boosters=boosters,
            calibration_sample=subsample(
                past.share(), sample.label, context.evidence, listings=listings
            ),
            curve=curve,
            tails=fit_tails(demand, sample.label, context, listings=listings, drifts=drifts),
        )

    def calibrate_shares(self, boosters: tuple[Booster, ...]) -> FittedTarget:
        """Return the model of return risk."""
        calibrator = calibrate_target(
            self.raw,
            self.context,
            self.split,
            keys=self.training_input.training_set.keys,
            fit_curve=share_curve(self.split),
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


def share_curve(split: TargetSplit) -> CurveFitter:
    """Return the fitter of the curve of return risk, for the curve half of a split.

    Boosters learn more with each origin, so that the last ones tell best how far those of the model
    can be trusted: the slope hears them most. How many units come back moves from origin to origin,
    so that the shift hears all alike (docs/decisions/calibration-curve.md).
    """
    sample = split.curve_fit
    slope_weight = sample.weight * EARLIER_ORIGIN ** split.origins_back(sample.rows)
    return partial(fit_logistic, slope_weight=slope_weight)
