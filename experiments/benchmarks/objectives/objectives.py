"""The objectives that boosters can minimise, and the weights of rows for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from training.boosting.objectives import TWEEDIE, tweedie_weight
from training.data.sample import Sample
from training.data.training_input import TrainingInput


@dataclass(frozen=True)
class Objective:
    """An objective on shares: LightGBM parameters that override the product's."""

    name: str
    parameters: Mapping[str, Any]
    is_of_units: bool = False
    """Whether rows weigh by their units instead of by the target's weight, which is 1 for
    sell-through and the units for return risk."""

    def weight(self, training_input: TrainingInput, target: Target, sample: Sample) -> FloatArray:
        """Return the weights of a sample's rows, shape (rows,)."""
        if not self.is_of_units:
            return sample.weight
        units = exposure_units(training_input, target, sample)
        return tweedie_weight(units, np.ones_like(units))


def exposure_units(training_input: TrainingInput, target: Target, sample: Sample) -> FloatArray:
    """Return the denominator of each share: units offered, or units ordered."""
    if target == "return_risk":
        return sample.weight
    return training_input.training_set.columns["units_offered"][sample.rows]


UNCONSTRAINED: Final[Mapping[str, Any]] = {"monotone_constraints": None}
"""LightGBM refuses monotone constraints with objectives that renew leaves by quantiles."""

CROSS_ENTROPY: Final = Objective("cross-entropy", {})
"""`training.boosting.objectives.booster_parameters`, unchanged."""
TWEEDIE_ON_UNITS: Final = Objective("Tweedie on units", TWEEDIE, is_of_units=True)
OBJECTIVES: Final = (
    CROSS_ENTROPY,
    Objective("L2", {"objective": "regression"}),
    Objective("L1", {"objective": "regression_l1", **UNCONSTRAINED}),
    Objective("median", {"objective": "quantile", "alpha": 0.5, **UNCONSTRAINED}),
    Objective("quantile 0.8", {"objective": "quantile", "alpha": 0.8, **UNCONSTRAINED}),
    TWEEDIE_ON_UNITS,
)
