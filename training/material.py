"""What all targets' models are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from features.catalogue import Catalogue
from features.declarations import FloatArray, Target
from features.derived import design_matrix
from features.horizons import Horizons
from training.sample import Sample
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


Texts = dict[Target, tuple[str, ...]]
"""Each target's boosters as text, one a seed."""

Fitter = Callable[[Material, Mapping[Target, Sample]], Texts]
"""What fits every target's boosters on its sample: on this machine or on a cluster."""


def prepare(recipe: Recipe, training_set: TrainingSet, parameters: Mapping[str, float]) -> Material:
    """Compute the design matrix with the function that serves."""
    matrix = design_matrix(recipe.catalogue, training_set.columns, parameters)
    return Material(recipe, training_set, parameters, matrix)
