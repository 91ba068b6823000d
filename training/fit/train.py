"""Training from end to end: training rows in, bundle contents and an honest evaluation out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from features.declarations.targets import Target
from features.monitoring.reference_stats import describe_inputs
from features.runtime.arrays import FloatArray, IntArray
from serving.bundle.bundle import BundleContents
from serving.prediction.predict import Models
from serving.prediction.target_model import TargetModel
from training.data.cold_start_rows import is_whole, with_hidden_histories
from training.data.sample import Sample
from training.data.time_split import Division, divide
from training.data.training_input import Fitter, Material, Recipe, prepare
from training.data.training_set import TrainingSet, read_training_set
from training.evaluation.evaluate import Evaluation, evaluate, flat_metrics
from training.evaluation.model_card import model_card
from training.fit.fit_targets import fit_here, fit_targets
from training.shrinkage.learned_parameters import learned_parameters

Tuner = Callable[[Material, Mapping[Target, Division]], Recipe]
"""Returns the material's recipe with settings that suit the training slices better."""

Progress = Callable[[str], None]
"""Called with a short sentence when a stage begins."""

CANARY_ROWS: Final = 64


@dataclass(frozen=True)
class Trained:
    """What a training yields; the same rows and settings yield the same."""

    contents: BundleContents
    evaluations: Mapping[Target, Evaluation]
    material: Material
    divisions: Mapping[Target, Division]


def train(  # noqa: PLR0913 - what differs from training to training, all but two by name
    rows: pa.Table,
    recipe: Recipe,
    *,
    git_commit: str,
    progress: Progress,
    fit: Fitter = fit_here,
    tune: Tuner | None = None,
) -> Trained:
    """Train every target that the training rows have labels of, and judge.

    The models that go into the bundle are the ones that were judged. `git_commit` is the program's,
    "unknown" outside a checkout. `fit` fits the boosters: here, or on a cluster
    (training/boosting/dask_fitting.py). `tune` finds the settings to fit them with, in place of
    those of the recipe.

    Raises:
        TrainingError: the rows can't support a model; one of the subclasses in
            training/errors.py says why.
    """
    training_set = with_hidden_histories(
        read_training_set(rows, recipe.catalogue), recipe.catalogue
    )
    divisions = {
        target: divide(training_set, target, recipe.horizons, recipe.settings)
        for target in training_set.outcomes
    }
    progress("learning how to pool rates")
    parameters = learned_parameters(training_set, divisions, recipe.horizons)
    material = prepare(recipe, training_set, parameters, divisions)
    if tune is not None:
        progress("tuning")
        recipe = tune(material, divisions)
        material = replace(material, recipe=recipe)
    progress(f"fitting {len(divisions) * recipe.settings.boosters} boosters")
    models = fit_targets(material, divisions, fit)
    progress("judging them on the latest slice")
    evaluations = {
        target: evaluate(models, material, division) for target, division in divisions.items()
    }
    contents = _contents(material, divisions, models, evaluations, git_commit)
    return Trained(contents, evaluations, material, divisions)


def _contents(
    material: Material,
    divisions: Mapping[Target, Division],
    models: Mapping[Target, TargetModel],
    evaluations: Mapping[Target, Evaluation],
    git_commit: str,
) -> BundleContents:
    recipe, training_set = material.recipe, material.training_set
    widest = divisions["sell_through"]
    usual = widest.train.where(is_whole(training_set, widest.train.rows))
    return BundleContents(
        models=Models(recipe.catalogue, material.parameters, models),
        horizons=recipe.horizons,
        imputed=training_set.imputed,
        canary=canary_rows(training_set, widest.latest),
        canary_markets=training_set.markets_at(spread_over(widest.latest)),
        reference_stats=describe_inputs(recipe.catalogue, material.matrix[usual.rows]),
        metrics=flat_metrics(evaluations),
        data_digest=training_set.digest,
        cut_off_day=training_set.cut_off_day,
        seasons=material.seasons,
        git_commit=git_commit,
        model_card=model_card(training_set, recipe, evaluations),
    )


def canary_rows(training_set: TrainingSet, sample: Sample) -> dict[str, FloatArray]:
    """Return a few rows spread over a sample, by which serving checks a bundle's answers."""
    rows = spread_over(sample)
    return {name: column[rows] for name, column in training_set.columns.items()}


def spread_over(sample: Sample) -> IntArray:
    """Return the rows of a sample that make the canary."""
    places = np.linspace(0, sample.rows.size - 1, min(CANARY_ROWS, sample.rows.size))
    return sample.rows[places.round().astype(np.int64)]
