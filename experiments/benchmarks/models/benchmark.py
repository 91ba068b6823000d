"""Train on simulated markets of several seeds and compare the models with the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from experiments.benchmarks.markets import ensure_valid_market, market_name, read_training_rows
from experiments.benchmarks.models.against_truth import (
    TruthComparison,
    compare_with_truth,
    look_up_expectations,
)
from experiments.benchmarks.models.knowable import KnowableRates, knowable_rates
from experiments.benchmarks.models.lot_curves import LotError, compare_lots
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.tables.writing import truth_directory
from experiments.simulator.truth.reader import Truth
from features.catalogue.catalogue import CATALOGUE
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.runtime.arrays import IntArray
from features.runtime.progress import ProgressCallback, prefix_progress
from training.data.training_input import TrainingRecipe
from training.data.training_set import TrainingSet
from training.evaluation.coverage import ALL_ROWS, Coverage
from training.evaluation.evaluate import Evaluation
from training.evaluation.judge import COLD, MODEL, UNKNOWN, UNLISTED, judge
from training.fit.train import TrainOutput, train
from training.settings import TrainingSettings

SHRINKAGE: Final = "shrinkage"
EVERYTHING: Final = "all"
COLD_GROUPS: Final = (COLD, UNLISTED, UNKNOWN)


@dataclass(frozen=True)
class ModelBenchmarkConfig:
    """The markets to train on, the directory that keeps them, and the training's settings."""

    markets: Sequence[Simulation]
    """Alike but for their seeds."""
    work: Path
    settings: TrainingSettings


@dataclass(frozen=True)
class TargetFigures:
    """The figures of a target's model on a market."""

    target: Target
    by_group: Mapping[str, TruthComparison]
    """All rows of the latest slice, and groups of cold starts within and beside them."""
    calibration_error: float
    unseen_season: float
    """Share of the latest slice whose horizons hold days of the year absent from training."""
    error_without_calendar: float | None
    """The calibration error without a calendar; None where it has no entry for these days."""
    coverage: float
    width: float
    plain_width: float
    """Of plain split-conformal intervals."""
    cells: Mapping[str, Coverage]
    """Cells of own evidence and market with enough rows for a figure."""

    @property
    def least_cell(self) -> str:
        """Return the name of the cell with the lowest coverage."""
        return min(self.cells, key=lambda name: self.cells[name].coverage)


@dataclass(frozen=True)
class MarketFigures:
    """The figures of a market."""

    seed: int
    rows: int
    targets: Sequence[TargetFigures]
    by_lot: Mapping[str, Sequence[LotError]]
    """Errors of expected units by group, then by lot (lot_curves.py)."""


def measure(config: ModelBenchmarkConfig, progress: ProgressCallback) -> list[MarketFigures]:
    """Train on each market and compare; markets are kept in `config.work`.

    Raises:
        TrainingError: a market can't support a model.
    """
    return [_measure_market(config, market, progress) for market in config.markets]


def _measure_market(
    config: ModelBenchmarkConfig, market: Simulation, progress: ProgressCallback
) -> MarketFigures:
    seed = market.seed
    progress(f"seed {seed}: the market")
    name = f"models-{market_name(market)}"
    raw = config.work / name
    valid = ensure_valid_market(market, raw, config.work / f"{name}-validated")
    progress(f"seed {seed}: features")
    rows = read_training_rows(valid)
    recipe = TrainingRecipe(Horizons(), CATALOGUE, config.settings)
    trained = train(
        rows, recipe, git_commit="unknown", progress=prefix_progress(f"seed {seed}", progress)
    )
    truth = Truth.open(truth_directory(raw))
    targets = [_measure_target(trained, truth, raw, target) for target in trained.evaluations]
    progress(f"seed {seed}: lots from 1 to 10,000")
    return MarketFigures(seed, rows.num_rows, targets, compare_lots(trained, truth))


def _measure_target(
    trained: TrainOutput, truth: Truth, data: Path, target: Target
) -> TargetFigures:
    training_input = trained.training_input
    judged = judge(trained.fitted[target], training_input, trained.splits[target])
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
    """Return the ideal forecasts of rows of the training set; None for a target without one."""
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
