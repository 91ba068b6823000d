"""What each of a target's boosters minimises: cross-entropy of shares, or a deviance of units.

Cross-entropy counts decisions: each share weighs as the target says. The Tweedie deviance of units
(Jørgensen 1987, "Exponential dispersion models") counts what was on offer. Boosters that minimise
the one err in other places than those of the other, so that on sell-through an average of both
loses no more than as many of either, and surely less than one of them on markets and on Online
Retail each (docs/models.md).

Units themselves aren't learned: with the logarithm of the units on offer as offset, gradient and
Hessian of that deviance are those of the share, times the units to the power of 2 less the
deviance's own. So shares are learned by that weight, without an offset, and said.
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
"""The input that says of how many units a target's share is one, where inputs say it."""
TWEEDIE_POWER: Final = 1.3
"""Units vary by this power of their mean: more than by chance (1), less than in proportion (2)."""
TWEEDIE: Final[Mapping[str, Any]] = {
    "objective": "tweedie",
    "tweedie_variance_power": TWEEDIE_POWER,
}


@dataclass(frozen=True)
class BoosterObjective:
    """What one booster minimises, and how."""

    seed: int
    parameters: Mapping[str, Any]
    """LightGBM's, without the seeds."""
    units: int | None = None
    """The input by whose units rows are weighed, None where the target's weights are as they are.
    """

    def weight(self, inputs: Any, weight: Any) -> Any:  # noqa: ANN401 - Dask's arrays too
        """Return what rows weigh, shape (rows,), of inputs of shape (rows, inputs)."""
        return weight if self.units is None else tweedie_weight(inputs[:, self.units], weight)


def tweedie_weight(units: FloatArray, weight: FloatArray) -> FloatArray:
    """Return what a share of so many units weighs for the Tweedie deviance of units; (rows,)."""
    return weight * units ** (2 - TWEEDIE_POWER)


def booster_objectives(
    target: Target, catalogue: Catalogue, settings: TrainingSettings
) -> tuple[BoosterObjective, ...]:
    """Return what each of a target's boosters minimises; Tweedie's are the last ones."""
    names = catalogue.model_inputs
    units = names.index(UNITS[target]) if UNITS.get(target) in names else None
    ours = booster_parameters(catalogue.monotone(target), settings)
    others = round(settings.boosters * settings.tweedie_share) if units is not None else 0
    objectives = []
    for place in range(settings.boosters):
        seed = settings.random_state + place
        if place < settings.boosters - others:
            objectives.append(BoosterObjective(seed, ours))
        else:
            objectives.append(BoosterObjective(seed, {**ours, **TWEEDIE}, units))
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
        # Without a choice LightGBM times both ways and takes the quicker one of the moment.
        "force_col_wise": True,
        "verbosity": -1,
    }
