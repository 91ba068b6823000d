"""Build the interval context of a training set's rows for one target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from serving.conformal.cells import IntervalContext, expected_orders
from serving.demand.lot_demand import share_of_margin
from serving.prediction.booster import Booster
from serving.prediction.init_score import init_score
from serving.prediction.target_model import TargetModel, sum_of_trees
from training.data.time_split import TargetSplit
from training.data.training_input import BoosterRequest, TrainingInput

SELLER: Final[Target] = "sell_through"


@dataclass(frozen=True)
class Sellers:
    """The models of sell-through that say how many units return risk is about."""

    model: TargetModel
    early: tuple[Booster, ...]
    """Boosters that learned no label of return risk's calibration slice, if early rows allow it
    (training/fit/fit_targets.py)."""
    request: BoosterRequest
    """What the early boosters were asked to learn."""

    def early_shares(self, training_input: TrainingInput, rows: IntArray) -> FloatArray:
        """Return the uncalibrated shares of lots by the early boosters, shape (rows,)."""
        recipe = training_input.recipe
        matrix = training_input.at(self.request.origin).design_matrix(rows)
        offset = self.request.start + init_score(SELLER, matrix, recipe.catalogue.model_inputs)
        return share_of_margin(offset + sum_of_trees(self.early, matrix), recipe.settings.sharpness)


def build_target_context(
    training_input: TrainingInput, split: TargetSplit, sellers: Sellers | None
) -> IntervalContext:
    """Return the cell and the exposure of each row of the training set.

    Exposures are valid for the calibration and latest rows of `split` alone, cold-start copies
    included. For return risk, the exposure is the number of units expected to sell. The early
    boosters of `sellers` expect those of calibration rows, because the model has learned their
    sell-through. They aren't calibrated, so their exposures are scaled to the units that were
    ordered in the curve half: residuals of few units must not pass for residuals of many
    (docs/decisions/exposure-of-return-risk.md).
    """
    offered = training_input.training_set.columns["units_offered"]
    if split.target != "return_risk" or sellers is None:
        return training_input.training_set.context(np.fmax(offered, 1.0))
    sell_through = np.full(len(offered), np.nan)
    rows = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    sell_through[rows] = sellers.early_shares(training_input, rows)
    rows = np.concatenate([split.latest.rows, split.latest_masked.rows])
    matrix = training_input.design_matrix(rows)
    sell_through[rows] = sellers.model.predict(matrix, training_input.demand[rows]).share
    exposure = expected_orders(offered, sell_through)
    ordered = training_input.training_set.outcomes[split.target].weight
    return training_input.training_set.context(_scale_to_orders(exposure, ordered, split))


def _scale_to_orders(exposure: FloatArray, ordered: FloatArray, split: TargetSplit) -> FloatArray:
    """Scale the calibration slice's exposures to the units ordered in its curve half."""
    curve_fit = split.curve_fit.rows
    scaled = exposure.copy()
    rows = np.concatenate([curve_fit, split.residual_fit.rows])
    scaled[rows] *= ordered[curve_fit].sum() / exposure[curve_fit].sum()
    return np.fmax(scaled, 1.0)
