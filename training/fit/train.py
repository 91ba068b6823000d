"""Train from end to end: training rows in, bundle contents and evaluations out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from features.declarations.targets import Target
from features.monitoring.reference_stats import describe_inputs
from features.runtime.arrays import FloatArray, IntArray
from features.runtime.progress import ProgressCallback
from serving.bundle.bundle import BundleContents
from serving.prediction.predict import Models
from serving.prediction.target_model import TargetModel
from training.calibration.fitted_target import FittedTarget
from training.data.cold_start_rows import add_cold_start_copies, has_full_history
from training.data.sample import Sample
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import (
    BoosterRequest,
    BoosterTexts,
    Fitter,
    TrainingInput,
    TrainingRecipe,
)
from training.data.training_set import TrainingSet, read_training_set
from training.evaluation.evaluate import Evaluation, evaluate, flatten_metrics
from training.evaluation.model_card import model_card
from training.fit.fit_targets import fit_locally, fit_targets
from training.fit.learned_ranges import learn_ranges
from training.fit.usual_listings import learn_usual_listings
from training.shrinkage.learned_parameters import learn_parameters

Tuner = Callable[[TrainingInput, Mapping[Target, TargetSplit]], TrainingRecipe]
"""Returns the recipe of a training input with settings that suit the last origin of the calibration
slice better."""


CANARY_ROWS: Final = 64


@dataclass(frozen=True)
class TrainOutput:
    """What a training yields; the same rows and settings yield the same."""

    contents: BundleContents
    evaluations: Mapping[Target, Evaluation]
    training_input: TrainingInput
    splits: Mapping[Target, TargetSplit]
    fitted: Mapping[Target, FittedTarget]


def train(  # noqa: PLR0913 - what differs from training to training, all but two by name
    rows: pa.Table,
    recipe: TrainingRecipe,
    *,
    git_commit: str,
    progress: ProgressCallback,
    fit: Fitter = fit_locally,
    tune: Tuner | None = None,
) -> TrainOutput:
    """Train and evaluate every target that the training rows have labels of.

    The evaluated models are the ones that go into the bundle. `git_commit` is the program's commit,
    "unknown" outside a checkout. `fit` fits the boosters: on this machine, or on a cluster
    (training/boosting/dask_fitting.py). `tune` finds the settings to fit them with, in place of
    those of the recipe.

    Raises:
        TrainingError: the rows can't support a model; the subclasses in training/errors.py tell
            the reasons apart.
    """
    read = read_training_set(rows, recipe.catalogue)
    del rows  # each step copies all values, and only the last copy is needed
    pa.default_memory_pool().release_unused()
    training_set, splits = _add_copies_and_split(read, recipe)
    del read
    pa.default_memory_pool().release_unused()
    training_input = _build_input(training_set, splits, recipe, progress=progress)
    if tune is not None:
        progress("tuning")
        training_input = replace(training_input, recipe=tune(training_input, splits))
    fitted = fit_targets(training_input, splits, _report_fit(fit, progress))
    progress("judging them on the latest slice")
    evaluations = {
        target: evaluate(fitted[target], training_input, split) for target, split in splits.items()
    }
    models = {target: one.model for target, one in fitted.items()}
    contents = _bundle_contents(
        training_input, splits, models, evaluations=evaluations, git_commit=git_commit
    )
    return TrainOutput(contents, evaluations, training_input, splits, fitted)


def _build_input(
    training_set: TrainingSet,
    splits: Mapping[Target, TargetSplit],
    recipe: TrainingRecipe,
    *,
    progress: ProgressCallback,
) -> TrainingInput:
    progress("learning how to pool rates")
    parameters = learn_parameters(training_set, splits, recipe.horizons)
    return TrainingInput.build(recipe, training_set, parameters, splits)


def _report_fit(fit: Fitter, progress: ProgressCallback) -> Fitter:
    """Return a fitter that reports how many boosters it is about to fit."""

    def fit_and_report(
        training_input: TrainingInput, requests: Mapping[str, BoosterRequest]
    ) -> BoosterTexts:
        progress(f"fitting {sum(request.boosters for request in requests.values())} boosters")
        return fit(training_input, requests)

    return fit_and_report


def _add_copies_and_split(
    read: TrainingSet, recipe: TrainingRecipe
) -> tuple[TrainingSet, dict[Target, TargetSplit]]:
    """Return the training set with its cold-start copies, and its slices by target."""
    training_set = add_cold_start_copies(read, recipe.catalogue)
    splits = {
        target: split_target(training_set, target, recipe.horizons, recipe.settings)
        for target in training_set.outcomes
    }
    return training_set, splits


def _bundle_contents(
    training_input: TrainingInput,
    splits: Mapping[Target, TargetSplit],
    models: Mapping[Target, TargetModel],
    *,
    evaluations: Mapping[Target, Evaluation],
    git_commit: str,
) -> BundleContents:
    recipe, training_set = training_input.recipe, training_input.training_set
    sell_through = splits["sell_through"]
    learned = learned_rows(training_set, sell_through)
    matrix = training_input.design_matrix(learned)
    return BundleContents(
        models=Models(recipe.catalogue, training_input.parameters, models),
        horizons=recipe.horizons,
        imputed=training_set.imputed,
        canary=canary_rows(training_set, sell_through.latest),
        canary_markets=training_set.row_markets(pick_canary_rows(sell_through.latest)),
        reference_stats=describe_inputs(recipe.catalogue, matrix),
        ranges=learn_ranges(
            matrix, recipe.catalogue.model_inputs, training_set.row_markets(learned)
        ),
        usual=learn_usual_listings(training_input, models, sell_through.known.rows),
        metrics=flatten_metrics(evaluations),
        data_digest=training_set.digest,
        cut_off_day=training_set.cut_off_day,
        markets=training_set.keys["market"].names,
        seasons=training_input.seasons,
        git_commit=git_commit,
        model_card=model_card(training_set, recipe, evaluations),
    )


def learned_rows(training_set: TrainingSet, split: TargetSplit) -> IntArray:
    """Return the positions of the rows that a target's models learned from, without copies."""
    return split.known.rows[has_full_history(training_set, split.known.rows)]


def canary_rows(training_set: TrainingSet, sample: Sample) -> dict[str, FloatArray]:
    """Return a few rows, spread over a sample, that serving checks a bundle's answers with."""
    rows = pick_canary_rows(sample)
    return {name: column[rows] for name, column in training_set.columns.items()}


def pick_canary_rows(sample: Sample) -> IntArray:
    """Return the training-set positions of at most `CANARY_ROWS` rows spread over a sample."""
    positions = np.linspace(0, sample.rows.size - 1, min(CANARY_ROWS, sample.rows.size))
    return sample.rows[positions.round().astype(np.int64)]
