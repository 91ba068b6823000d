"""Build the interval context of a training set's rows for one target."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.conformal.cells import IntervalContext, share_exposure
from serving.prediction.target_model import TargetModel, raw_share
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput


def build_target_context(
    training_input: TrainingInput, split: TargetSplit, models: Mapping[Target, TargetModel]
) -> IntervalContext:
    """Return the cell and the exposure of each row of the training set.

    Exposures are valid for the calibration and latest rows of `split` alone, cold-start copies
    included. For return risk, the exposure is the number of units expected to sell, by the
    sell-through model in `models`. The latest rows use that model as serving does. The calibration
    rows use its boosters without its curve, because the curve was fitted on weeks that these rows
    look ahead to. Their exposures are then scaled to the units that were ordered in the curve half,
    so that residuals of few units don't pass for residuals of many
    (docs/decisions/exposure-of-return-risk.md).
    """
    calibration = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    latest = np.concatenate([split.latest.rows, split.latest_masked.rows])
    offered = training_input.training_set.columns["units_offered"]
    sell_through = np.full(len(offered), np.nan)
    if split.target == "return_risk":
        seller = models["sell_through"]
        inputs = training_input.design_matrix(calibration)
        sell_through[calibration] = raw_share(seller.target, seller.boosters, inputs)
        sell_through[latest] = seller.predict(training_input.inputs_for(seller.target, latest))
    exposure = share_exposure(split.target, offered, sell_through)
    if split.target == "return_risk":
        ordered = training_input.training_set.outcomes[split.target].weight
        exposure = _scale_to_orders(exposure, ordered, split)
    return training_input.training_set.context(exposure)


def _scale_to_orders(exposure: FloatArray, ordered: FloatArray, split: TargetSplit) -> FloatArray:
    """Scale the calibration slice's exposures to the units ordered in its curve half."""
    curve_fit = split.curve_fit.rows
    scaled = exposure.copy()
    rows = np.concatenate([curve_fit, split.residual_fit.rows])
    scaled[rows] *= ordered[curve_fit].sum() / exposure[curve_fit].sum()
    return np.fmax(scaled, 1.0)
