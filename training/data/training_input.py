"""What all targets' models are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from features.catalogue.catalogue import Catalogue
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.seasonality import SEASONAL_TARGET, Seasons, rescale_to_baseline_demand
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_set import TrainingSet
from training.settings import TrainingSettings


@dataclass(frozen=True)
class TrainingRecipe:
    """How to train: what is foretold, from which features, with which settings."""

    horizons: Horizons
    catalogue: Catalogue
    settings: TrainingSettings
    trials: int = 0
    """How many trials of a search the settings are the best of; 0 where nobody searched."""


@dataclass(frozen=True)
class TrainingInput:
    """The training set with the pooling parameters learned from it and the design matrix."""

    recipe: TrainingRecipe
    training_set: TrainingSet
    parameters: Mapping[str, float]
    seasons: Seasons
    demand: FloatArray
    """How many times the usual demand the calendar has each row expect, shape (rows,); 1 of all
    that is learned from."""
    matrix: FloatArray
    """Of all rows of the training set, shape (rows, inputs)."""

    def inputs_for(self, target: Target, rows: IntArray) -> FloatArray:
        """Return what a target's model is asked about some rows, shape (rows, inputs).

        That is their design matrix, but where the calendar moves the target.
        """
        inputs = self.matrix[rows]
        is_moved = self.demand[rows] != 1.0
        if target == SEASONAL_TARGET and is_moved.any():
            moved = rows[is_moved]
            columns = {name: column[moved] for name, column in self.training_set.columns.items()}
            seasonal = rescale_to_baseline_demand(columns, self.demand[moved])
            inputs[is_moved] = self.recipe.catalogue.design_matrix(seasonal, self.parameters)
        return inputs


BoosterTexts = dict[Target, tuple[str, ...]]
"""Each target's boosters as text, one a seed."""

Fitter = Callable[[TrainingInput, Mapping[Target, Sample]], BoosterTexts]
"""What fits every target's boosters on its sample: on this machine or on a cluster."""


def build(
    recipe: TrainingRecipe,
    training_set: TrainingSet,
    parameters: Mapping[str, float],
    splits: Mapping[Target, TargetSplit],
) -> TrainingInput:
    """Compute the design matrix, and what the calendar says, with the functions that serve."""
    seasons = Seasons(
        learned=splits[SEASONAL_TARGET].days.learned(recipe.horizons),
        uplifts=tuple(one.to_uplift() for one in recipe.settings.seasonal_uplifts),
    )
    market = training_set.keys["market"]
    demand = seasons.demand(
        training_set.as_of_day,
        market.codes,
        market.names,
        horizon_days=recipe.horizons.horizon_days,
    )
    matrix = recipe.catalogue.design_matrix(training_set.columns, parameters)
    return TrainingInput(recipe, training_set, parameters, seasons, demand, matrix)
