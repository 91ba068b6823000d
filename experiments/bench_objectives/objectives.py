"""What boosters can be told to minimise, and what they are shown for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from features.declarations import FloatArray, Target
from training.material import Material
from training.pooling_fit import smoothed_mean
from training.sample import Sample


@dataclass(frozen=True)
class Lesson:
    """What boosters learn from rows; arrays of shape (rows,)."""

    label: FloatArray
    weight: FloatArray
    offset: FloatArray | None = None
    """What the trees' sum is added to while they grow."""
    share: float = 1.0
    """The share that a booster's prediction of 1 stands for."""


@dataclass(frozen=True)
class Objective:
    """What is minimised: LightGBM's parameters over those of the product, and what is learned."""

    name: str
    parameters: Mapping[str, Any]
    lesson: Callable[[Sample, FloatArray], Lesson] = field(kw_only=True)
    """Of a sample and the exposure of its rows."""


def shares(sample: Sample, _exposure: FloatArray) -> Lesson:
    """Learn shares as they are, weighted as the target is."""
    return Lesson(sample.label, sample.weight)


def units(sample: Sample, exposure: FloatArray) -> Lesson:
    """Learn units, the share times the exposure, by trees that say how far a share is off the mean.

    The logarithm of the exposure times the mean share is the offset, so that units expected =
    exposure x mean share x exp(trees) and prediction / exposure = mean share x exp(trees). Units
    carry the evidence themselves: a weight would count it twice.
    """
    mean = smoothed_mean(sample.label, exposure)
    return Lesson(
        sample.label * exposure, np.ones_like(exposure), np.log(exposure * mean), share=mean
    )


def exposure_of(material: Material, target: Target, sample: Sample) -> FloatArray:
    """Return the units that each share is one of: units offered, or units ordered."""
    if target == "return_risk":
        return sample.weight
    return material.training_set.columns["units_offered"][sample.rows]


UNCONSTRAINED: Final[Mapping[str, Any]] = {"monotone_constraints": None}
"""LightGBM refuses monotone constraints where it sets leaves to quantiles after the fact."""

CROSS_ENTROPY: Final = Objective("cross-entropy", {}, lesson=shares)
"""The product's: `training.fitting.booster_parameters` as they are."""
OBJECTIVES: Final = (
    CROSS_ENTROPY,
    Objective("L2", {"objective": "regression"}, lesson=shares),
    Objective("L1", {"objective": "regression_l1", **UNCONSTRAINED}, lesson=shares),
    Objective("median", {"objective": "quantile", "alpha": 0.5, **UNCONSTRAINED}, lesson=shares),
    Objective(
        "quantile 0.8", {"objective": "quantile", "alpha": 0.8, **UNCONSTRAINED}, lesson=shares
    ),
    Objective(
        "Tweedie on units", {"objective": "tweedie", "tweedie_variance_power": 1.3}, lesson=units
    ),
)
