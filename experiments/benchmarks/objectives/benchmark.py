"""Fit every contestant at every origin of every data set, and judge it on the days after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.benchmarks.objectives.contestants import CONTESTANTS, DEFAULT
from experiments.benchmarks.objectives.forward_fits import fit_contestants, predict_raw
from experiments.benchmarks.objectives.loss_differences import (
    LossDifferences,
    compute_loss_differences,
)
from experiments.benchmarks.objectives.lots import draw_smaller_lots, read_lots
from experiments.benchmarks.objectives.sources import Source, load_rows
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.errors import TrainingError
from features.runtime.progress import ProgressCallback, prefix_progress
from training.data.cold_start_rows import add_cold_start_copies
from training.data.past_rows import known_rows
from training.data.sample import Sample
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import TrainingInput, TrainingRecipe
from training.data.training_set import EncodedColumn, read_training_set
from training.metrics.metrics import calibration_error, row_log_loss, weighted_mean
from training.shrinkage.learned_parameters import learn_parameters

TARGET: Final[Target] = "sell_through"
ASKED: Final = "the lot asked"
SMALLER: Final = "smaller lots"
LOTS: Final = (ASKED, SMALLER)


@dataclass(frozen=True)
class ObjectiveBenchmarkConfig:
    """The data sets, the number of origins, the directory for intermediate rows, and the recipe."""

    sources: Sequence[Source]
    origins: int
    work: Path
    recipe: TrainingRecipe


@dataclass(frozen=True)
class ObjectiveMetrics:
    """The accuracy of estimates of the latest slice; each row counts once."""

    log_loss: float
    mean_absolute_error: float
    calibration_error: float


@dataclass(frozen=True)
class LotResult:
    """All contestants on the lots that were asked, or on smaller ones (lots.py)."""

    rows: int
    metrics: Mapping[str, ObjectiveMetrics]
    """By contestant."""
    differences: LossDifferences = field(compare=False)
    """Differences to the default by product."""


@dataclass(frozen=True)
class Round:
    """The metrics of all contestants on the latest slice, at one origin of a data set."""

    data: str
    seed: int | None
    origin: int
    """How often the end of the data was moved back by a latest slice."""
    learned_rows: int
    judged_days: tuple[int, int]
    by_lots: Mapping[str, LotResult]
    """By `LOTS`."""


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
                rounds.append(run_round(source, known, origin=origin, recipe=config.recipe))
            except TrainingError as error:
                if origin == 0:
                    raise
                skipped.append(SkippedOrigin(source.data, source.seed, origin, str(error)))
                break
    return ObjectiveBenchmarkResult(rounds, skipped)


def run_round(source: Source, known: pa.Table, *, origin: int, recipe: TrainingRecipe) -> Round:
    """Train and judge all contestants on the rows known at an origin.

    Raises:
        TrainingError: the data known by then can't support a model.
    """
    training_set = add_cold_start_copies(
        read_training_set(known, recipe.catalogue), recipe.catalogue
    )
    split = split_target(training_set, TARGET, recipe.horizons, recipe.settings)
    splits: dict[Target, TargetSplit] = {TARGET: split}
    parameters = learn_parameters(training_set, splits, recipe.horizons)
    training_input = TrainingInput.build(recipe, training_set, parameters, splits)
    return Round(
        data=source.data,
        seed=source.seed,
        origin=origin,
        learned_rows=split.known.rows.size,
        judged_days=(split.days.latest.first, split.days.latest.last),
        by_lots=judge_contestants(training_input, split),
    )


def judge_contestants(training_input: TrainingInput, split: TargetSplit) -> dict[str, LotResult]:
    """Fit all contestants, and judge them on both kinds of lots of the latest slice.

    The calendar of seasons takes no part: it multiplies demand, and shares know none.
    """
    boosters, estimators = fit_contestants(training_input, split)
    asked = read_lots(training_input, split.latest.rows)
    has_smaller = asked.lot > 1
    smaller_rows, smaller = draw_smaller_lots(split.latest, asked.lot)
    judged = {
        ASKED: (split.latest, asked),
        SMALLER: (smaller_rows, asked.select(has_smaller).with_lots(smaller)),
    }
    results = {}
    for kind, (sample, lots) in judged.items():
        estimates = {
            contestant.name: estimators[contestant.name](
                predict_raw(contestant, boosters, lots), lots
            )
            for contestant in CONTESTANTS
        }
        results[kind] = _compare(sample, training_input.training_set.keys["product_id"], estimates)
    return results


def _compare(
    sample: Sample, products: EncodedColumn, estimates: Mapping[str, FloatArray]
) -> LotResult:
    return LotResult(
        rows=sample.rows.size,
        metrics={name: compute_metrics(sample, share) for name, share in estimates.items()},
        differences=compute_loss_differences(
            sample, products, {name: [share] for name, share in estimates.items()}, default=DEFAULT
        ),
    )


def compute_metrics(sample: Sample, share: FloatArray) -> ObjectiveMetrics:
    """Judge the estimated shares of a sample, shape (rows,)."""
    label, weight = sample.label, sample.weight
    return ObjectiveMetrics(
        log_loss=weighted_mean(row_log_loss(label, share), weight),
        mean_absolute_error=weighted_mean(np.abs(label - share), weight),
        calibration_error=calibration_error(label, share, weight),
    )
