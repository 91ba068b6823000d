"""Train on one market in every way that is compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from experiments.benchmarks.features.markets import kept
from experiments.benchmarks.training.engines import Engines, compare_engines, compare_pipeline
from experiments.benchmarks.training.estimators import compare_estimator
from experiments.benchmarks.training.timing import Compared
from experiments.simulator.configuration.configuration import Simulation
from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.point_in_time.signal_rows import stored_rows
from features.point_in_time.training_rows import build_training_rows
from training.data.cold_start_rows import with_hidden_histories
from training.data.time_split import Division, divide
from training.data.training_input import Fitter, Material, Recipe, prepare
from training.data.training_set import read_training_set
from training.settings import TrainingSettings
from training.shrinkage.learned_parameters import learned_parameters

Tell = Callable[[str], None]
ClusterOf = Callable[[Path], Fitter]
"""Makes the fitter of a cluster that reads training rows from a file."""


@dataclass(frozen=True)
class Plan:
    """What to train on, how, and how often."""

    market: Simulation
    work: Path
    settings: TrainingSettings
    repeats: int
    cluster: ClusterOf | None = None
    """None: no cluster is measured."""


@dataclass(frozen=True)
class Measured:
    """What was measured on one market."""

    rows: int
    compared: tuple[Compared, ...]
    engines: Engines | None


def measure(plan: Plan, tell: Tell) -> Measured:
    """Compare estimators and main job with bare LightGBM, and a cluster with this machine.

    Raises:
        TrainingError: the market can't support a model.
        ClusterError: the cluster can't be used.
    """
    tell("the market and its features")
    path = plan.work / f"training-{plan.market.products}-{plan.market.days}.parquet"
    rows = _rows(plan)
    pq.write_table(rows, path)
    material, divisions = _prepared(rows, plan.settings)
    samples = {target: division.train for target, division in divisions.items()}
    compared = []
    for target, sample in samples.items():
        tell(f"the estimator of {target}, {plan.repeats} runs of each way")
        compared.append(compare_estimator(material, target, sample, plan.repeats))
    tell(f"the main job's boosters, {plan.repeats} runs of each way")
    compared.append(compare_pipeline(material, samples, plan.repeats))
    engines = None
    if plan.cluster is not None:
        tell(f"this machine and a cluster, {plan.repeats} runs of each")
        engines = compare_engines(material, divisions, plan.cluster(path), plan.repeats)
    return Measured(rows.num_rows, tuple(compared), engines)


def _rows(plan: Plan) -> pa.Table:
    market = plan.market
    raw = plan.work / f"training-{market.products}-{market.days}-{market.seed}"
    dataset = open_dataset(kept(market, raw, raw.with_name(raw.name + "-validated")))
    rows = build_training_rows(stored_rows(dataset, Horizons()), CATALOGUE)
    dataset.connection.disconnect()
    return rows


def _prepared(
    rows: pa.Table, settings: TrainingSettings
) -> tuple[Material, dict[Target, Division]]:
    recipe = Recipe(Horizons(), CATALOGUE, settings)
    training_set = with_hidden_histories(read_training_set(rows, CATALOGUE), CATALOGUE)
    divisions = {
        target: divide(training_set, target, recipe.horizons, settings)
        for target in training_set.outcomes
    }
    parameters = learned_parameters(training_set, divisions, recipe.horizons)
    return prepare(recipe, training_set, parameters, divisions), divisions
