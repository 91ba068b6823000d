"""Fit every contestant at every origin of every data set, and judge it on the days after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np
import pyarrow as pa

from experiments.benchmarks.objectives.contestants import DEFAULTS, predict_raw, select_curves
from experiments.benchmarks.objectives.loss_differences import (
    LossDifferences,
    compute_loss_differences,
)
from experiments.benchmarks.objectives.sources import (
    Source,
    load_rows,
)
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.errors import TrainingError
from features.runtime.progress import ProgressCallback, prefix_progress
from training.calibration.choose import fit_curve
from training.data.cold_start_rows import add_cold_start_copies
from training.data.past_rows import known_rows
from training.data.sample import Sample
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import TrainingInput, TrainingRecipe
from training.data.training_set import read_training_set
from training.metrics.metrics import MIN_SHARE, calibration_error, row_log_loss, weighted_mean
from training.shrinkage.learned_parameters import learn_parameters


@dataclass(frozen=True)
class ObjectiveBenchmarkConfig:
    """The data sets, the number of origins, the directory for intermediate rows, and the recipe."""

    sources: Sequence[Source]
    origins: int
    work: Path
    recipe: TrainingRecipe


@dataclass(frozen=True)
class ObjectiveMetrics:
    """The accuracy of estimates of the latest slice, with the target's weights."""

    log_loss: float
    mean_absolute_error: float
    calibration_error: float


@dataclass(frozen=True)
class Round:
    """The metrics of all contestants on a target's latest slice, at one origin of a data set."""

    data: str
    seed: int | None
    origin: int
    """How often the end of the data was moved back by a latest slice."""
    target: Target
    learned_rows: int
    judged_rows: int
    judged_days: tuple[int, int]
    raw: Mapping[str, ObjectiveMetrics]
    """By contestant and reference: of the boosters' predictions, each limited to 1 as the product
    limits them, and their mean clipped into (0, 1)."""
    calibrated: Mapping[str, ObjectiveMetrics]
    """After the product's calibration."""
    differences: LossDifferences = field(compare=False)
    """Differences by product, after calibration."""


@dataclass(frozen=True)
class SkippedOrigin:
    """An origin with too little data before it; earlier origins are skipped too."""

    data: str
    seed: int | None
    origin: int
    reason: str


@dataclass(frozen=True)
class ObjectiveBenchmarkResult:
    """All rounds, and the first impossible origin of each data set that has one."""

    rounds: Sequence[Round]
    skipped: Sequence[SkippedOrigin]


def measure(
    config: ObjectiveBenchmarkConfig, progress: ProgressCallback
) -> ObjectiveBenchmarkResult:
    """Compare the contestants; markets and training rows are kept in `config.work`.

    Raises:
        DataError: a table is broken as a whole.
        TrainingError: a data set can't support a model even with all its days.
    """
    rounds: list[Round] = []
    skipped: list[SkippedOrigin] = []
    for source in config.sources:
        name = source.data if source.seed is None else f"{source.data}, seed {source.seed}"
        prepared = load_rows(
            source, config.work, config.recipe.horizons, progress=prefix_progress(name, progress)
        )
        for origin in range(config.origins):
            progress(f"{name}: origin {origin + 1} of {config.origins}")
            try:
                end = prepared.cut_off_day - origin * config.recipe.settings.latest_days
                known = known_rows(prepared, end)
                rounds += run_rounds(source, known, origin=origin, recipe=config.recipe)
            except TrainingError as error:
                if origin == 0:
                    raise
                skipped.append(SkippedOrigin(source.data, source.seed, origin, str(error)))
                break
    return ObjectiveBenchmarkResult(rounds, skipped)


def run_rounds(
    source: Source, known: pa.Table, *, origin: int, recipe: TrainingRecipe
) -> list[Round]:
    """Train and judge on the rows known at an origin; return a round a target.

    Raises:
        TrainingError: the data known by then can't support a model.
    """
    training_set = add_cold_start_copies(
        read_training_set(known, recipe.catalogue), recipe.catalogue
    )
    splits = {
        target: split_target(training_set, target, recipe.horizons, recipe.settings)
        for target in training_set.outcomes
    }
    parameters = learn_parameters(training_set, splits, recipe.horizons)
    training_input = TrainingInput.build(recipe, training_set, parameters, splits)
    return [_run_round(source, training_input, split, origin=origin) for split in splits.values()]


def _run_round(
    source: Source, training_input: TrainingInput, split: TargetSplit, *, origin: int
) -> Round:
    predictions = predict_raw(training_input, split)
    estimates = {
        name: [calibrate(raw, training_input, split, contestant=name) for raw in draws]
        for name, draws in predictions.items()
    }
    latest = split.latest
    return Round(
        data=source.data,
        seed=source.seed,
        origin=origin,
        target=split.target,
        learned_rows=split.train.rows.size,
        judged_rows=latest.rows.size,
        judged_days=(split.days.latest.first, split.days.latest.last),
        raw={
            name: compute_metrics(latest, [raw[latest.rows] for raw in draws])
            for name, draws in predictions.items()
        },
        calibrated={name: compute_metrics(latest, draws) for name, draws in estimates.items()},
        differences=compute_loss_differences(
            latest,
            training_input.training_set.keys["product_id"],
            estimates,
            default=DEFAULTS[split.target].name,
        ),
    )


def calibrate(
    raw: FloatArray, training_input: TrainingInput, split: TargetSplit, *, contestant: str
) -> FloatArray:
    """Return estimates of the latest slice: raw predictions with the product's calibration."""
    products = training_input.training_set.keys["product_id"]
    names = training_input.recipe.catalogue.model_inputs
    calibration_curve = fit_curve(
        raw, split, products, select_curves(contestant, split.target, names)
    )
    return calibration_curve.apply(raw[split.latest.rows])


def compute_metrics(latest: Sample, draws: Sequence[FloatArray]) -> ObjectiveMetrics:
    """Judge estimates of the latest slice, (rows,), clipped into (0, 1): the mean over draws."""
    label, weight = latest.label, latest.weight
    shares = [np.clip(estimate, MIN_SHARE, 1 - MIN_SHARE) for estimate in draws]
    return ObjectiveMetrics(
        log_loss=fmean(weighted_mean(row_log_loss(label, share), weight) for share in shares),
        mean_absolute_error=fmean(weighted_mean(np.abs(label - share), weight) for share in shares),
        calibration_error=fmean(calibration_error(label, share, weight) for share in shares),
    )
