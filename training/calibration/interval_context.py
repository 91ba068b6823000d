"""Build the interval context of a training set's rows for one target."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.conformal.cells import IntervalContext, share_exposure
from serving.prediction.target_model import TargetModel
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput


def build_target_context(
    training_input: TrainingInput, split: TargetSplit, models: Mapping[Target, TargetModel]
) -> IntervalContext:
    """Return the cell and the exposure of each row of the training set.

    Exposures are valid for the calibration and latest rows of `split` alone, cold-start copies
    included. For return risk, the exposure is the number of units expected to sell, by the
    sell-through model in `models`. That model has learned from the calibration rows, so their
    exposures are scaled to the units that were ordered in the curve half: residuals of few units
    must not pass for residuals of many (docs/decisions/exposure-of-return-risk.md).
    """
    offered = training_input.training_set.columns["units_offered"]
    if split.target != "return_risk":
        return training_input.training_set.context(np.fmax(offered, 1.0))
    samples = (split.curve_fit, split.residual_fit, split.latest, split.latest_masked)
    rows = np.concatenate([sample.rows for sample in samples])
    sell_through = np.full(len(offered), np.nan)
    matrix = training_input.design_matrix(rows)
    outlook = models["sell_through"].predict(matrix, training_input.demand[rows])
    sell_through[rows] = outlook.share
    exposure = share_exposure(split.target, offered, sell_through)
    ordered = training_input.training_set.outcomes[split.target].weight
    return training_input.training_set.context(_scale_to_orders(exposure, ordered, split))


def _scale_to_orders(exposure: FloatArray, ordered: FloatArray, split: TargetSplit) -> FloatArray:
    """Scale the calibration slice's exposures to the units ordered in its curve half."""
    curve_fit = split.curve_fit.rows
    scaled = exposure.copy()
    rows = np.concatenate([curve_fit, split.residual_fit.rows])
    scaled[rows] *= ordered[curve_fit].sum() / exposure[curve_fit].sum()
    return np.fmax(scaled, 1.0)
