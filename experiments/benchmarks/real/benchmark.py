"""Run the product, its rivals and the product without each mechanism on the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import pyarrow as pa

from experiments.benchmarks.real.by_hand import Tables
from experiments.benchmarks.real.forecasts import ContestantForecast, Slices
from experiments.benchmarks.real.mechanisms import Mechanism
from experiments.benchmarks.real.plain_models import (
    fit_catboost,
    fit_lightgbm,
    has_catboost,
    run_plain,
)
from experiments.benchmarks.real.product import (
    PRODUCT,
    TrainedProduct,
    forecast_latest,
    train_product,
)
from experiments.benchmarks.real.scores import JudgedRows, Round, judge_round
from experiments.benchmarks.real.tasks import Task, features_by_hand
from features.declarations.targets import Target
from features.runtime.errors import TrainingError
from features.runtime.progress import ProgressCallback, prefix_progress
from training.data.past_rows import known_rows
from training.data.training_set import EncodedColumn

HAND_LIGHTGBM: Final = "by hand, LightGBM"
HAND_CATBOOST: Final = "by hand, CatBoost"
OUR_INPUTS: Final = "our inputs, plain LightGBM"


class Rival(StrEnum):
    """A group of contestants that can be chosen; the product always takes part."""

    BY_HAND = "by-hand"
    CATBOOST = "catboost"
    OUR_INPUTS = "our-inputs"
    MECHANISMS = "mechanisms"


@dataclass(frozen=True)
class RealBenchmarkConfig:
    """What to compare: targets, contestants, and the number of origins."""

    work: Path
    origins: int
    targets: Sequence[Target]
    rivals: Sequence[Rival]
    mechanisms: Sequence[Mechanism]


@dataclass(frozen=True)
class SkippedOrigin:
    """An origin with too little data before it; earlier origins are skipped too."""

    task: str
    origin: int
    reason: str


@dataclass
class RealBenchmarkResult:
    """The rounds so far, and the first impossible origin of each data set that has one."""

    rounds: list[Round] = field(default_factory=list)
    skipped: list[SkippedOrigin] = field(default_factory=list)


def measure(
    tasks: Sequence[Task], config: RealBenchmarkConfig, progress: ProgressCallback
) -> RealBenchmarkResult:
    """Compare the contestants at every origin of every data set.

    Raises:
        DataError: a table is broken as a whole.
        TrainingError: a data set can't support a model even with all its days.
    """
    result = RealBenchmarkResult()
    for task in tasks:
        task_progress = prefix_progress(task.name, progress)
        prepared = task.load_rows(config.work, task_progress)
        tables = task.load_tables(config.work)
        for origin in range(config.origins):
            origin_progress = prefix_progress(f"origin {origin + 1}", task_progress)
            end = prepared.cut_off_day - origin * task.recipe.settings.latest_days
            try:
                known = known_rows(prepared, end)
                result.rounds += _run_origin(
                    task, known, tables, config=config, origin=origin, progress=origin_progress
                )
            except TrainingError as error:
                if origin == 0:
                    raise
                result.skipped.append(SkippedOrigin(task.name, origin, str(error)))
                break
    return result


@dataclass
class _Origin:
    """One origin of a task: the rows to judge, the forecasts so far, and what is yet to train."""

    slices: Mapping[Target, Slices]
    products: EncodedColumn
    forecasts: dict[Target, dict[str, ContestantForecast]]
    to_train: Sequence[Mechanism]


def _run_origin(  # noqa: PLR0913 - a round's facts, by name
    task: Task,
    rows: pa.Table,
    tables: Tables,
    *,
    config: RealBenchmarkConfig,
    origin: int,
    progress: ProgressCallback,
) -> list[Round]:
    begun = _run_beside_product(task, rows, tables, config=config, progress=progress)
    for mechanism in begun.to_train:
        without = mechanism.retrain(
            rows, task.recipe, prefix_progress(mechanism.contestant, progress)
        )
        for target in _concerned(mechanism, begun.slices):
            forecast = forecast_latest(without, target)[PRODUCT]
            begun.forecasts[target][mechanism.contestant] = forecast
    return [
        judge_round(
            JudgedRows(slices.latest, slices.latest_masked, begun.products),
            begun.forecasts[target],
            task=task.source.data,
            seed=task.source.seed,
            origin=origin,
            target=target,
            learned_rows=slices.known.rows.size,
        )
        for target, slices in begun.slices.items()
    ]


def _run_beside_product(
    task: Task,
    rows: pa.Table,
    tables: Tables,
    *,
    config: RealBenchmarkConfig,
    progress: ProgressCallback,
) -> _Origin:
    """Run the product and all that needs its training, which is let go before others begin."""
    trained = train_product(rows, task.recipe, prefix_progress(PRODUCT, progress))
    slices = {
        target: trained.slices(target)
        for target in trained.output.splits
        if target in config.targets
    }
    forecasts = {
        target: forecast_latest(trained, target)
        | _run_rivals(task, rows, tables, trained, target=target, config=config, progress=progress)
        for target in slices
    }
    mechanisms = config.mechanisms if Rival.MECHANISMS in config.rivals else ()
    for mechanism in mechanisms:
        if mechanism.remodel is not None:
            progress(mechanism.contestant)
            for target in _concerned(mechanism, slices):
                model = mechanism.remodel(trained, target)
                forecast = forecast_latest(trained, target, model)[PRODUCT]
                forecasts[target][mechanism.contestant] = forecast
    to_train = [
        mechanism
        for mechanism in mechanisms
        if mechanism.remodel is None
        and _concerned(mechanism, slices)
        and mechanism.changes(trained)
    ]
    return _Origin(slices, trained.products, forecasts, to_train)


def _concerned(mechanism: Mechanism, targets: Iterable[Target]) -> list[Target]:
    return [target for target in targets if target in mechanism.targets]


def _run_rivals(  # noqa: PLR0913 - a round's facts, by name
    task: Task,
    rows: pa.Table,
    tables: Tables,
    trained: TrainedProduct,
    *,
    target: Target,
    config: RealBenchmarkConfig,
    progress: ProgressCallback,
) -> dict[str, ContestantForecast]:
    """Fit the plain models that were chosen."""
    slices, coverage = trained.slices(target), task.recipe.settings.interval_coverage
    plain = {}
    if Rival.BY_HAND in config.rivals:
        plain[HAND_LIGHTGBM] = fit_lightgbm
    if Rival.CATBOOST in config.rivals and has_catboost():
        plain[HAND_CATBOOST] = fit_catboost
    forecasts = {}
    if plain:
        progress(f"features by hand, {target}")
        features = features_by_hand(rows, tables, target, task.recipe.horizons)
        for name, fit in plain.items():
            progress(f"{name}, {target}")
            forecasts[name] = run_plain(fit, features, slices, coverage=coverage)
    if Rival.OUR_INPUTS in config.rivals:
        progress(f"{OUR_INPUTS}, {target}")
        inputs = trained.inputs()
        forecasts[OUR_INPUTS] = run_plain(fit_lightgbm, inputs, slices, coverage=coverage)
    return forecasts
