"""Define the loss that boosters minimise: the cross-entropy of shares, given each row's margin.

Trees of return risk correct the log odds of a formula. Trees of sell-through learn the logarithm of
demand; the margin is the logarithm of demand over the lot, and `sharpness` bends it into a share
(serving/demand/lot_demand.py). Both start from an offset of each row
(serving/prediction/init_score.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.special import expit

from features.catalogue.catalogue import Catalogue
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.demand.lot_demand import share_of_margin
from serving.prediction.init_score import LOT
from training.settings import TrainingSettings

MIN_HESSIAN: Final = 1e-6
FAR: Final = -25.0
"""Bent margins below it have a share of nearly 1, where a ratio of small numbers loses its digits.
"""


@dataclass(frozen=True)
class DemandObjective:
    """The cross-entropy of shares that a margin is bent into, as LightGBM's custom objective.

    With a sharpness of 1 it is LightGBM's own cross-entropy.
    """

    sharpness: float

    def __call__(self, margin: FloatArray, rows: Any) -> tuple[FloatArray, FloatArray]:  # noqa: ANN401 - a lightgbm.Dataset
        """Return gradient and Hessian of each row, shape (rows,) each, with its weight."""
        return self.weighted(margin, rows.get_label(), rows.get_weight())

    def weighted(
        self, margin: FloatArray, label: FloatArray, weight: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the derivatives times the weights; LightGBM forgets weights that are all 1."""
        gradient, hessian = self.derivatives(margin, label)
        return (gradient, hessian) if weight is None else (gradient * weight, hessian * weight)

    def derivatives(self, margin: FloatArray, label: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the first derivative of each row's loss by its margin, and the expected second.

        The second is that of Fisher scoring: its mean over labels that the share is right about.
        """
        bent = -self.sharpness * margin
        share = share_of_margin(margin, self.sharpness)
        slope = expit(bent)  # of the logarithm of the share
        odds = np.where(bent < FAR, self.sharpness, slope / np.maximum(1.0 - share, 1e-12))
        return odds * (share - label), np.maximum(odds * slope * share, MIN_HESSIAN)


def booster_parameters(
    monotone: Sequence[int], settings: TrainingSettings, *, usable: Sequence[bool] | None = None
) -> dict[str, Any]:
    """Return LightGBM's parameters of a booster of cross-entropy.

    `monotone` holds -1, 0 or 1 for each input, `usable` whether trees may split on it; None allows
    all.
    """
    gains = {} if usable is None else {"feature_contri": [float(may) for may in usable]}
    return {
        "objective": "cross_entropy",
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": settings.min_samples_leaf,
        "lambda_l2": settings.leaf_ridge,
        "feature_fraction": settings.feature_share,
        "bagging_fraction": settings.bagging_share,
        "bagging_freq": 1,
        "max_bin": settings.bins,
        "monotone_constraints": list(monotone),
        "data_random_seed": settings.random_state,
        "num_threads": 1,
        "deterministic": True,
        # Otherwise LightGBM times both layouts and takes the faster one, which may vary.
        "force_col_wise": True,
        "verbosity": -1,
        **gains,
    }


def target_parameters(
    target: Target, catalogue: Catalogue, settings: TrainingSettings
) -> dict[str, Any]:
    """Return LightGBM's parameters of a target's boosters; their trees see no lot."""
    usable = [name != LOT for name in catalogue.model_inputs]
    return booster_parameters(catalogue.monotone(target), settings, usable=usable)


def objective_of(target: Target, settings: TrainingSettings) -> DemandObjective | None:
    """Return the custom objective of a target's boosters, None for LightGBM's own."""
    if target == "return_risk" or settings.sharpness == 1.0:
        return None
    return DemandObjective(settings.sharpness)
