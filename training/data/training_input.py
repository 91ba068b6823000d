"""The input of all targets' fits: training set, learned parameters, design matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Self

import numpy as np

from features.catalogue.catalogue import Catalogue
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.init_score import LOT, ORDER_SIZE
from serving.prediction.seasonality import SEASONAL_TARGET, Seasons
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
class LearnedParameters:
    """All parameters of derived features by name, learned at several moments."""

    of_origins: Mapping[int, Mapping[str, float]]
    """By the first day that follows an origin, from rows that were final by then."""
    known: Mapping[str, float]
    """From rows that were final before any target is judged."""


@dataclass(frozen=True)
class TrainingInput:
    """The training set with the parameters learned from it.

    Design matrices are computed for the rows that are needed: that of all rows would be the largest
    array of a training by far, and no step needs more than the known rows of a target.
    """

    recipe: TrainingRecipe
    training_set: TrainingSet
    parameters: Mapping[str, float]
    parameters_of_origins: Mapping[int, Mapping[str, float]]
    """Those of the boosters of origins, by the first day that follows."""
    seasons: Seasons
    demand: FloatArray
    """Demand that the calendar expects in each row's horizon, as a multiple of the usual one; shape
    (rows,); 1 in all rows that models learn from."""

    @classmethod
    def build(
        cls,
        recipe: TrainingRecipe,
        training_set: TrainingSet,
        learned: LearnedParameters,
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
        return cls(recipe, training_set, learned.known, learned.of_origins, seasons, demand)

    def at(self, origin: int | None) -> Self:
        """Return the input as boosters of an origin see it, with what was learned by then.

        `origin` is the first day that follows it; None returns the input itself, that of the model.
        """
        if origin is None:
            return self
        return replace(self, parameters=self.parameters_of_origins[origin])

    def request_matrix(self, request: BoosterRequest) -> FloatArray:
        """Compute the design matrix of the rows of a request, shape (rows, inputs)."""
        return self.at(request.origin).design_matrix(request.sample.rows)

    @cached_property
    def lots(self) -> tuple[FloatArray, FloatArray]:
        """Return the lot and the order size of each row, in units, shape (rows,) each.

        They are columns of the design matrix, computed without the others.
        """
        columns = self.training_set.columns
        (order_size,) = (f for f in self.recipe.catalogue.derived if f.name == ORDER_SIZE)
        inputs = (columns[name] for name in order_size.inputs)
        return columns[LOT], np.asarray(order_size.function(*inputs), np.float64)

    def design_matrix(self, rows: IntArray) -> FloatArray:
        """Compute the design matrix of some rows, shape (rows, inputs)."""
        catalogue, columns = self.recipe.catalogue, self.training_set.columns
        matrix = np.empty((rows.size, len(catalogue.model_inputs)))
        for start in range(0, rows.size, BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            taken = {name: column[block] for name, column in columns.items()}
            matrix[start : start + block.size] = catalogue.design_matrix(taken, self.parameters)
        return matrix


@dataclass(frozen=True)
class BoosterRequest:
    """Boosters to fit: their target, the rows to learn from, and how many."""

    target: Target
    sample: Sample
    boosters: int
    start: float = 0.0
    """The constant that trees start from beside the offset of each row."""
    origin: int | None = None
    """The first day after the origin that knows no more than these rows; None for the model."""


BoosterTexts = dict[str, tuple[str, ...]]
"""Boosters as text by the name of their request, one for each seed."""

Fitter = Callable[[TrainingInput, Mapping[str, BoosterRequest]], BoosterTexts]
"""Fits the boosters of all requests, on this machine or on a cluster."""
