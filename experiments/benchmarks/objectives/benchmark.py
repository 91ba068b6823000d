"""Fit every contestant at every origin of every data set, and judge it on what came later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np
import pyarrow as pa

from experiments.benchmarks.objectives.contestants import DEFAULTS, allowed_curves, predict_raw
from experiments.benchmarks.objectives.leads import LossDifferences, compute_loss_differences
from experiments.benchmarks.objectives.origins import read_cut_off_day, restrict_to_cut_off
from experiments.benchmarks.objectives.sources import Source, load_rows
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.errors import TrainingError
from features.runtime.progress import ProgressCallback, prefix_progress
from training.calibration.conformal_fit import fit_curve
from training.data.cold_start_rows import add_cold_start_copies
from training.data.sample import Sample
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import TrainingInput, TrainingRecipe, build
from training.data.training_set import read_training_set
from training.metrics.metrics import MIN_SHARE, calibration_error, row_log_loss, weighted_mean
from training.shrinkage.learned_parameters import learned_parameters


@dataclass(frozen=True)
class ObjectiveBenchmarkConfig:
    """Which data to compare on, from how many ends of the data, and how."""

    sources: Sequence[Source]
    origins: int
    work: Path
    recipe: TrainingRecipe


@dataclass(frozen=True)
class ObjectiveMetrics:
    """How good estimates of the latest slice are, weighted as the target is."""

    log_loss: float
    mean_absolute_error: float
    calibration_error: float


@dataclass(frozen=True)
class Round:
    """What one target's latest slice says of all contestants, at one origin of one data set."""

    data: str
    seed: int | None
    origin: int
    """How many times the end of the data was moved back."""
    target: Target
    learned_rows: int
    judged_rows: int
    judged_days: tuple[int, int]
    raw: Mapping[str, ObjectiveMetrics]
    """By contestant and reference: of the boosters' own words, each cut at 1 as the product cuts
    them, and their mean clipped into (0, 1)."""
    calibrated: Mapping[str, ObjectiveMetrics]
    """After the product's calibration."""
    leads: LossDifferences = field(compare=False)
    """Product by product, after calibration."""


@dataclass(frozen=True)
class SkippedOrigin:
    """An origin before which too little is left, so that none before it was tried either."""

    data: str
    seed: int | None
    origin: int
    why: str


@dataclass(frozen=True)
class ObjectiveBenchmarkResult:
    """All rounds, and the origins that couldn't be."""

    rounds: Sequence[Round]
    refusals: Sequence[SkippedOrigin]


def measure(plan: ObjectiveBenchmarkConfig, progress: ProgressCallback) -> ObjectiveBenchmarkResult:
    """Compare the contestants; markets and training rows are kept in `plan.work`.

    Raises:
        DataError: a table is broken as a whole.
        TrainingError: a data set can't support a model even with all its days.
    """
    rounds: list[Round] = []
    refusals: list[SkippedOrigin] = []
    for source in plan.sources:
        name = source.data if source.seed is None else f"{source.data}, seed {source.seed}"
        rows = load_rows(
            source, plan.work, plan.recipe.horizons, progress=prefix_progress(name, progress)
        )
        for origin in range(plan.origins):
            progress(f"{name}: origin {origin + 1} of {plan.origins}")
            try:
                rounds += run_rounds(source, rows, origin=origin, recipe=plan.recipe)
            except TrainingError as error:
                if origin == 0:
                    raise
                refusals.append(SkippedOrigin(source.data, source.seed, origin, str(error)))
                break
    return ObjectiveBenchmarkResult(rounds, refusals)


def run_rounds(
    source: Source, rows: pa.Table, *, origin: int, recipe: TrainingRecipe
) -> list[Round]:
    """Train and judge with the end of the data moved back `origin` times, a round a target.

    Raises:
        TrainingError: what was known by then can't support a model.
    """
    end = read_cut_off_day(rows) - origin * recipe.settings.latest_days
    known = restrict_to_cut_off(rows, end, recipe.horizons)
    training_set = add_cold_start_copies(
        read_training_set(known, recipe.catalogue), recipe.catalogue
    )
    splits = {
        target: split_target(training_set, target, recipe.horizons, recipe.settings)
        for target in training_set.outcomes
    }
    parameters = learned_parameters(training_set, splits, recipe.horizons)
    training_input = build(recipe, training_set, parameters, splits)
    return [_run_round(source, training_input, split, origin=origin) for split in splits.values()]


def _run_round(
    source: Source, training_input: TrainingInput, split: TargetSplit, *, origin: int
) -> Round:
    predictions = predict_raw(training_input, split)
    finished = {
        name: [calibrated(raw, training_input, split, by=name) for raw in draws]
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
        calibrated={name: compute_metrics(latest, draws) for name, draws in finished.items()},
        leads=compute_loss_differences(
            latest,
            training_input.training_set.keys["product_id"],
            finished,
            default=DEFAULTS[split.target].name,
        ),
    )


def calibrated(
    raw: FloatArray, training_input: TrainingInput, split: TargetSplit, *, by: str
) -> FloatArray:
    """Return the estimates of the latest slice as the product makes them of raw predictions."""
    products = training_input.training_set.keys["product_id"]
    names = training_input.recipe.catalogue.model_inputs
    calibration_curve = fit_curve(raw, split, products, allowed_curves(by, split.target, names))
    return calibration_curve.apply(raw[split.latest.rows])


def compute_metrics(latest: Sample, draws: Sequence[FloatArray]) -> ObjectiveMetrics:
    """Judge estimates of the latest slice, (rows,), clipped into (0, 1): the mean over draws."""
    label, weight = latest.label, latest.weight
    shares = [np.clip(estimate, MIN_SHARE, 1 - MIN_SHARE) for estimate in draws]
    return ObjectiveMetrics(
        log_loss=fmean(weighted_mean(row_log_loss(label, share), weight) for share in shares),
        mean_absolute_error=fmean(weighted_mean(np.abs(label - one), weight) for one in shares),
        calibration_error=fmean(calibration_error(label, share, weight) for share in shares),
    )
