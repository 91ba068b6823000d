"""Train on one market in all the ways that are compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.benchmarks.markets import ensure_valid_market, market_name, read_training_rows
from experiments.benchmarks.training.engines import (
    EngineComparison,
    compare_engines,
    compare_pipeline,
)
from experiments.benchmarks.training.estimators import compare_estimator
from experiments.benchmarks.training.stages import StageCost, measure_stages
from experiments.benchmarks.training.timing import TimingComparison
from experiments.simulator.configuration.configuration import Simulation
from features.catalogue.catalogue import CATALOGUE
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.runtime.progress import ProgressCallback
from training.data.cold_start_rows import add_cold_start_copies
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import Fitter, TrainingInput, TrainingRecipe
from training.data.training_set import read_training_set
from training.settings import TrainingSettings
from training.shrinkage.learned_parameters import learn_parameters

ClusterFactory = Callable[[Path], Fitter]
"""Returns the fitter of a cluster that reads training rows from a file."""


@dataclass(frozen=True)
class TrainingBenchmarkConfig:
    """The market, the directory that keeps it, the settings, and the number of runs."""

    market: Simulation
    work: Path
    settings: TrainingSettings
    repeats: int
    cluster: ClusterFactory | None = None
    """None if no cluster is measured."""
    main_job: tuple[str, ...] | None = None
    """The command of the main job, without its directories; None if it isn't measured."""


@dataclass(frozen=True)
class TrainingBenchmarkResult:
    """The times on one market, the number of its training rows, and the main job's stages."""

    rows: int
    compared: tuple[TimingComparison, ...]
    engines: EngineComparison | None
    stages: tuple[StageCost, ...] = ()

    @property
    def matrix_bytes(self) -> int:
        """Return the size of the rows' design matrix: what bare LightGBM would be given."""
        return self.rows * len(CATALOGUE.model_inputs) * np.dtype(np.float64).itemsize


def measure(config: TrainingBenchmarkConfig, progress: ProgressCallback) -> TrainingBenchmarkResult:
    """Compare estimators and main job with bare LightGBM, and a cluster with this machine.

    Raises:
        TrainingError: the market can't support a model.
        ClusterError: the cluster can't be used.
    """
    progress("the market and its features")
    config.work.mkdir(parents=True, exist_ok=True)
    name = f"training-{market_name(config.market)}"
    path = config.work / f"{name}.parquet"
    rows = read_training_rows(
        ensure_valid_market(config.market, config.work / name, config.work / f"{name}-validated")
    )
    pq.write_table(rows, path)
    training_input, splits = _prepare_input(rows, config.settings)
    samples = {target: split.train for target, split in splits.items()}
    compared = []
    for target, sample in samples.items():
        progress(f"the estimator of {target}, {config.repeats} runs of each way")
        compared.append(compare_estimator(training_input, target, sample, config.repeats))
    progress(f"the main job's boosters, {config.repeats} runs of each way")
    compared.append(compare_pipeline(training_input, splits, config.repeats))
    engines = None
    if config.cluster is not None:
        progress(f"this machine and a cluster, {config.repeats} runs of each")
        engines = compare_engines(training_input, splits, config.cluster(path), config.repeats)
    stages: tuple[StageCost, ...] = ()
    if config.main_job is not None:
        progress("the main job, stage by stage")
        stages = _measure_main_job(config.main_job, config.work / name)
    return TrainingBenchmarkResult(rows.num_rows, tuple(compared), engines, stages)


def _measure_main_job(command: tuple[str, ...], market: Path) -> tuple[StageCost, ...]:
    """Measure the whole main job on a market, in a run directory that no earlier run filled."""
    with tempfile.TemporaryDirectory() as out:
        return measure_stages([*command, "--data", str(market), "--out", out])


def _prepare_input(
    rows: pa.Table, settings: TrainingSettings
) -> tuple[TrainingInput, dict[Target, TargetSplit]]:
    recipe = TrainingRecipe(Horizons(), CATALOGUE, settings)
    training_set = add_cold_start_copies(read_training_set(rows, CATALOGUE), CATALOGUE)
    splits = {
        target: split_target(training_set, target, recipe.horizons, settings)
        for target in training_set.outcomes
    }
    parameters = learn_parameters(training_set, splits, recipe.horizons)
    return TrainingInput.build(recipe, training_set, parameters, splits), splits
