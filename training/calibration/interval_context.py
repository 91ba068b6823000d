"""What the intervals of a training set's rows rest on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.conformal.cells import IntervalContext, share_exposure
from serving.prediction.target_model import TargetModel, raw_share
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput


def build_interval_context(
    training_input: TrainingInput, split: TargetSplit, models: Mapping[Target, TargetModel]
) -> IntervalContext:
    """Return what intervals rest on, for each row of the training set.

    The units are only good for the division's calibration and latest rows, hidden ones included.
    Those of return risk come from the sell-through model in `models`: on the latest rows as when
    serving, though its curve knows of some weeks that these rows look ahead to. So that residuals
    don't, on calibration rows its boosters speak for themselves, of rows that they learned from,
    and are scaled to the units that came in the shaping half: before the holidays 1.3 to 1.4 times
    as many came on small simulated markets as were expected, and residuals of few units must not
    pass for ones of many.
    """
    calibration = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    latest = np.concatenate([split.latest.rows, split.latest_masked.rows])
    offered = training_input.training_set.columns["units_offered"]
    sell_through = np.full(len(offered), np.nan)
    if split.target == "return_risk":
        seller = models["sell_through"]
        inputs = training_input.matrix[calibration]
        sell_through[calibration] = raw_share(seller.target, seller.boosters, inputs)
        sell_through[latest] = seller.predict(training_input.inputs_for(seller.target, latest))
    exposure = share_exposure(split.target, offered, sell_through)
    if split.target == "return_risk":
        exposure = _scale_to_observed(exposure, split)
    return training_input.training_set.context(exposure)


def _scale_to_observed(exposure: FloatArray, split: TargetSplit) -> FloatArray:
    """Return expected units with those of the calibration slice scaled to what was ordered."""
    curve_fit = split.curve_fit
    scaled = exposure.copy()
    rows = np.concatenate([curve_fit.rows, split.residual_fit.rows])
    scaled[rows] *= curve_fit.weight.sum() / exposure[curve_fit.rows].sum()
    return np.fmax(scaled, 1.0)
