"""What all targets' models are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.catalogue import Catalogue
from features.declarations import FloatArray
from features.derived import design_matrix
from features.horizons import Horizons
from training.settings import TrainingSettings
from training.training_set import TrainingSet


@dataclass(frozen=True)
class Recipe:
    """How to train: what is foretold, from which features, with which settings."""

    horizons: Horizons
    catalogue: Catalogue
    settings: TrainingSettings


@dataclass(frozen=True)
class Material:
    """The training set with the pooling parameters learned from it and the design matrix."""

    recipe: Recipe
    training_set: TrainingSet
    parameters: Mapping[str, float]
    matrix: FloatArray
    """Of all rows of the training set, shape (rows, inputs)."""


def prepare(recipe: Recipe, training_set: TrainingSet, parameters: Mapping[str, float]) -> Material:
    """Compute the design matrix with the function that serves."""
    matrix = design_matrix(recipe.catalogue, training_set.columns, parameters)
    return Material(recipe, training_set, parameters, matrix)
