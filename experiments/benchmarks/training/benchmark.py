"""Train on one market in every way that is compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from experiments.benchmarks.features.markets import ensure_validated
from experiments.benchmarks.training.engines import (
    EngineComparison,
    compare_engines,
    compare_pipeline,
)
from experiments.benchmarks.training.estimators import compare_estimator
from experiments.benchmarks.training.timing import TimingComparison
from experiments.simulator.configuration.configuration import Simulation
from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.training_rows import build_training_rows
from features.runtime.progress import ProgressCallback
from training.data.cold_start_rows import add_cold_start_copies
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import Fitter, TrainingInput, TrainingRecipe, build
from training.data.training_set import read_training_set
from training.settings import TrainingSettings
from training.shrinkage.learned_parameters import learned_parameters

ClusterFactory = Callable[[Path], Fitter]
"""Makes the fitter of a cluster that reads training rows from a file."""


@dataclass(frozen=True)
class TrainingBenchmarkConfig:
    """What to train on, how, and how often."""

    market: Simulation
    work: Path
    settings: TrainingSettings
    repeats: int
    cluster: ClusterFactory | None = None
    """None: no cluster is measured."""


@dataclass(frozen=True)
class TrainingBenchmarkResult:
    """What was measured on one market."""

    rows: int
    compared: tuple[TimingComparison, ...]
    engines: EngineComparison | None


def measure(plan: TrainingBenchmarkConfig, progress: ProgressCallback) -> TrainingBenchmarkResult:
    """Compare estimators and main job with bare LightGBM, and a cluster with this machine.

    Raises:
        TrainingError: the market can't support a model.
        ClusterError: the cluster can't be used.
    """
    progress("the market and its features")
    path = plan.work / f"training-{plan.market.products}-{plan.market.days}.parquet"
    rows = _build_rows(plan)
    pq.write_table(rows, path)
    training_input, splits = _prepare_input(rows, plan.settings)
    samples = {target: split.train for target, split in splits.items()}
    compared = []
    for target, sample in samples.items():
        progress(f"the estimator of {target}, {plan.repeats} runs of each way")
        compared.append(compare_estimator(training_input, target, sample, plan.repeats))
    progress(f"the main job's boosters, {plan.repeats} runs of each way")
    compared.append(compare_pipeline(training_input, samples, plan.repeats))
    engines = None
    if plan.cluster is not None:
        progress(f"this machine and a cluster, {plan.repeats} runs of each")
        engines = compare_engines(training_input, splits, plan.cluster(path), plan.repeats)
    return TrainingBenchmarkResult(rows.num_rows, tuple(compared), engines)


def _build_rows(plan: TrainingBenchmarkConfig) -> pa.Table:
    market = plan.market
    raw = plan.work / f"training-{market.products}-{market.days}-{market.seed}"
    dataset = open_dataset(ensure_validated(market, raw, raw.with_name(raw.name + "-validated")))
    rows = build_training_rows(build_stored_rows(dataset, Horizons()), CATALOGUE)
    dataset.connection.disconnect()
    return rows


def _prepare_input(
    rows: pa.Table, settings: TrainingSettings
) -> tuple[TrainingInput, dict[Target, TargetSplit]]:
    recipe = TrainingRecipe(Horizons(), CATALOGUE, settings)
    training_set = add_cold_start_copies(read_training_set(rows, CATALOGUE), CATALOGUE)
    splits = {
        target: split_target(training_set, target, recipe.horizons, settings)
        for target in training_set.outcomes
    }
    parameters = learned_parameters(training_set, splits, recipe.horizons)
    return build(recipe, training_set, parameters, splits), splits
