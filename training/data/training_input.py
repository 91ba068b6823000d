"""The input of all targets' fits: training set, learned parameters, design matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from features.catalogue.catalogue import Catalogue
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.seasonality import SEASONAL_TARGET, Seasons, rescale_to_baseline_demand
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_set import TrainingSet
from training.settings import TrainingSettings

BLOCK_ROWS: Final = 4_096
"""Rows of a design matrix computed at a time; it bounds the memory used beside the matrix."""


@dataclass(frozen=True)
class TrainingRecipe:
    """How to train: the horizons of the targets, the features and the settings."""

    horizons: Horizons
    catalogue: Catalogue
    settings: TrainingSettings
    trials: int = 0
    """Number of trials of which the settings are the best; 0 without a search."""


@dataclass(frozen=True)
class TrainingInput:
    """The training set with the pooling parameters learned from it.

    Design matrices are computed for the rows that are needed: that of all rows would be the largest
    array of a training by far, and no step needs more than the training slice of a target.
    """

    recipe: TrainingRecipe
    training_set: TrainingSet
    parameters: Mapping[str, float]
    seasons: Seasons
    demand: FloatArray
    """Demand that the calendar expects in each row's horizon, as a multiple of the usual one; shape
    (rows,); 1 in all rows that models learn from."""

    @classmethod
    def build(
        cls,
        recipe: TrainingRecipe,
        training_set: TrainingSet,
        parameters: Mapping[str, float],
        splits: Mapping[Target, TargetSplit],
    ) -> Self:
        """Compute the seasonal demand with the functions that serve."""
        seasons = Seasons(
            learned=splits[SEASONAL_TARGET].days.learned_days(recipe.horizons),
            uplifts=tuple(setting.to_uplift() for setting in recipe.settings.seasonal_uplifts),
        )
        market = training_set.keys["market"]
        demand = seasons.demand(
            training_set.as_of_day,
            market.codes,
            market.names,
            horizon_days=recipe.horizons.horizon_days,
        )
        return cls(recipe, training_set, parameters, seasons, demand)

    def design_matrix(self, rows: IntArray) -> FloatArray:
        """Compute the design matrix of some rows, shape (rows, inputs)."""
        catalogue, columns = self.recipe.catalogue, self.training_set.columns
        matrix = np.empty((rows.size, len(catalogue.model_inputs)))
        for start in range(0, rows.size, BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            taken = {name: column[block] for name, column in columns.items()}
            matrix[start : start + block.size] = catalogue.design_matrix(taken, self.parameters)
        return matrix

    def inputs_for(self, target: Target, rows: IntArray) -> FloatArray:
        """Return the inputs of a target's model for some rows, shape (rows, inputs).

        They are those of the design matrix. Where the calendar changes the demand, those of
        `SEASONAL_TARGET` are computed at the usual demand instead.
        """
        inputs = self.design_matrix(rows)
        is_seasonal = self.demand[rows] != 1.0
        if target == SEASONAL_TARGET and is_seasonal.any():
            seasonal = rows[is_seasonal]
            columns = {name: column[seasonal] for name, column in self.training_set.columns.items()}
            rescaled = rescale_to_baseline_demand(columns, self.demand[seasonal])
            inputs[is_seasonal] = self.recipe.catalogue.design_matrix(rescaled, self.parameters)
        return inputs


BoosterTexts = dict[Target, tuple[str, ...]]
"""Each target's boosters as text, one for each seed."""

Fitter = Callable[[TrainingInput, Mapping[Target, Sample]], BoosterTexts]
"""Fits every target's boosters on its sample, on this machine or on a cluster."""
