"""Train on simulated markets of several seeds and compare with their truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from experiments.benchmarks.features.markets import ensure_validated
from experiments.benchmarks.models.against_truth import TruthComparison, compare_with_truth
from experiments.benchmarks.models.knowable import KnowableRates, knowable_rates
from experiments.benchmarks.models.true_expectations import look_up_expectations
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.tables.writing import truth_directory
from experiments.simulator.truth.reader import Truth
from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.training_rows import build_training_rows
from features.runtime.arrays import IntArray
from features.runtime.progress import ProgressCallback, prefix_progress
from training.data.training_input import TrainingRecipe
from training.data.training_set import TrainingSet
from training.evaluation.coverage import ALL_ROWS, Coverage
from training.evaluation.evaluate import COLD, MODEL, UNKNOWN, UNLISTED, Evaluation, judge
from training.fit.train import TrainOutput, train
from training.settings import TrainingSettings

SHRINKAGE: Final = "shrinkage"
EVERYTHING: Final = "all"
COLD_GROUPS: Final = (COLD, UNLISTED, UNKNOWN)


@dataclass(frozen=True)
class ModelBenchmarkConfig:
    """Which markets to train on, and how."""

    markets: Sequence[Simulation]
    """One a seed, otherwise alike."""
    work: Path
    settings: TrainingSettings


@dataclass(frozen=True)
class TargetFigures:
    """What one market says of one target's model."""

    target: Target
    by_group: Mapping[str, TruthComparison]
    """All rows of the latest slice, and the cold starts among and beside them."""
    calibration_error: float
    unseen_season: float
    """Share of the latest slice that looks ahead to days of the year never learned from."""
    error_without_calendar: float | None
    """The calibration error if no calendar were given; None where it says nothing of these days."""
    coverage: float
    width: float
    plain_width: float
    """Of plain split-conformal intervals."""
    cells: Mapping[str, Coverage]
    """Cells of own evidence and market that are large enough for a figure."""

    @property
    def least_cell(self) -> str:
        """Return the cell whose intervals hold least often."""
        return min(self.cells, key=lambda name: self.cells[name].coverage)


@dataclass(frozen=True)
class MarketFigures:
    """What one market says."""

    seed: int
    rows: int
    targets: Sequence[TargetFigures]


def measure(plan: ModelBenchmarkConfig, progress: ProgressCallback) -> list[MarketFigures]:
    """Train on each market and compare; markets are kept in `plan.work`.

    Raises:
        TrainingError: a market can't support a model.
    """
    return [_measure_market(plan, market, progress) for market in plan.markets]


def _measure_market(
    plan: ModelBenchmarkConfig, market: Simulation, progress: ProgressCallback
) -> MarketFigures:
    seed = market.seed
    progress(f"seed {seed}: the market")
    name = f"{market.products}-{market.days}-{seed}"
    raw = plan.work / f"models-{name}"
    valid = ensure_validated(market, raw, plan.work / f"models-{name}-validated")
    progress(f"seed {seed}: features")
    dataset, horizons = open_dataset(valid), Horizons()
    rows = build_training_rows(build_stored_rows(dataset, horizons), CATALOGUE)
    dataset.connection.disconnect()
    recipe = TrainingRecipe(horizons, CATALOGUE, plan.settings)
    trained = train(
        rows, recipe, git_commit="unknown", progress=prefix_progress(f"seed {seed}", progress)
    )
    truth = Truth.open(truth_directory(raw))
    found = [_measure_target(trained, truth, raw, target) for target in trained.evaluations]
    return MarketFigures(seed, rows.num_rows, found)


def _measure_target(
    trained: TrainOutput, truth: Truth, data: Path, target: Target
) -> TargetFigures:
    models, training_input = trained.contents.models.targets, trained.training_input
    judged = judge(models, training_input, trained.splits[target])
    expected = look_up_expectations(truth, training_input.training_set, judged.rows.rows, target)
    masks = {EVERYTHING: judged.is_latest}
    masks |= {name: judged.groups[name] for name in COLD_GROUPS if name in judged.groups}
    is_known = ~np.isnan(expected)
    knowable = _knowable(truth.market, data, training_input.training_set, judged.rows.rows, target)
    estimates = {name: judged.forecasts[name].estimate for name in (MODEL, SHRINKAGE)}
    by_group = {}
    for name, mask in masks.items():
        known = mask & is_known
        by_group[name] = compare_with_truth(
            judged.rows.label[known],
            judged.rows.weight[known],
            model=estimates[MODEL][known],
            shrinkage=estimates[SHRINKAGE][known],
            truth=expected[known],
            knowable=None if knowable is None else knowable.select(known),
        )
    return _figures(trained.evaluations[target], by_group)


def _knowable(
    market: Simulation, data: Path, training_set: TrainingSet, rows: IntArray, target: Target
) -> KnowableRates | None:
    """Return what can be known of rows of the training set, for the target that has a bound."""
    if target != "return_risk":
        return None
    listing = training_set.keys["listing_id"]
    names = np.array(listing.names, object)[listing.codes[rows]]
    return knowable_rates(market, data, names, training_set.as_of_day[rows])


def _figures(evaluation: Evaluation, by_group: Mapping[str, TruthComparison]) -> TargetFigures:
    every, plain = evaluation.by_cell[ALL_ROWS], evaluation.without_calendar
    return TargetFigures(
        target=evaluation.target,
        by_group=by_group,
        calibration_error=evaluation.overall[MODEL].calibration_error,
        unseen_season=evaluation.unseen_season,
        error_without_calendar=None if plain is None else plain.calibration_error,
        coverage=every.coverage,
        width=every.width,
        plain_width=every.plain_width,
        cells={name: cell for name, cell in evaluation.by_cell.items() if name != ALL_ROWS},
    )
