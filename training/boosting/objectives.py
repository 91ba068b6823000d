"""Choose what each booster minimises: cross-entropy of shares, or a Tweedie deviance of units.

Cross-entropy counts decisions: each share has the weight that its target gives it. The Tweedie
deviance of units (Jørgensen 1987, "Exponential dispersion models") counts the units on offer.
Boosters of the two objectives make different errors, so the average of both is at least as good as
boosters of one alone (docs/decisions/booster-objectives.md).

Boosters of both objectives learn shares. With the logarithm of the units on offer as offset,
gradient and Hessian of the deviance of units are those of the deviance of the share, times the
units to the power of 2 minus `TWEEDIE_POWER`. So the weight of a row replaces that offset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from features.catalogue.catalogue import Catalogue
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from training.settings import TrainingSettings

UNITS: Final[Mapping[Target, str]] = {"sell_through": "units_offered"}
"""The input with the units that a target's share is of, for targets that have one."""
TWEEDIE_POWER: Final = 1.3
"""The variance of units is proportional to this power of their mean: 1 is that of a Poisson
count, 2 that of errors in proportion to the mean."""
TWEEDIE: Final[Mapping[str, Any]] = {
    "objective": "tweedie",
    "tweedie_variance_power": TWEEDIE_POWER,
}


@dataclass(frozen=True)
class BoosterObjective:
    """The objective of one booster: seed, parameters and row weights."""

    seed: int
    parameters: Mapping[str, Any]
    """LightGBM's parameters, without the seeds."""
    units: int | None = None
    """Column of the units that multiply a row's weight; None leaves weights as they are."""

    def weight(self, inputs: Any, weight: Any) -> Any:  # noqa: ANN401 - Dask's arrays too
        """Return the weights of rows, shape (rows,); `inputs` has shape (rows, inputs)."""
        return weight if self.units is None else tweedie_weight(inputs[:, self.units], weight)


def tweedie_weight(units: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the weights of shares of `units` in the Tweedie deviance of units; shape (rows,)."""
    return weight * units ** (2 - TWEEDIE_POWER)


def booster_objectives(
    target: Target, catalogue: Catalogue, settings: TrainingSettings
) -> tuple[BoosterObjective, ...]:
    """Return the objectives of a target's boosters; those of Tweedie come last."""
    names = catalogue.model_inputs
    units = names.index(UNITS[target]) if UNITS.get(target) in names else None
    parameters = booster_parameters(catalogue.monotone(target), settings)
    tweedie_count = round(settings.boosters * settings.tweedie_share) if units is not None else 0
    objectives = []
    for number in range(settings.boosters):
        seed = settings.random_state + number
        if number < settings.boosters - tweedie_count:
            objectives.append(BoosterObjective(seed, parameters))
        else:
            objectives.append(BoosterObjective(seed, {**parameters, **TWEEDIE}, units))
    return tuple(objectives)


def booster_parameters(monotone: Sequence[int], settings: TrainingSettings) -> dict[str, Any]:
    """Return LightGBM's parameters; `monotone` holds -1, 0 or 1 for each input."""
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
    }
