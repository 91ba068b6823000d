"""The comparison of objectives: what contestants learn, and what a smaller lot would have sold."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import xuanpin
from experiments.benchmarks.objectives.contestants import (
    CONTESTANTS,
    DEFAULT,
    NAMES,
    CountContestant,
    Estimator,
)
from experiments.benchmarks.objectives.forward_fits import (
    FittedBoosters,
    fit_contestants,
    predict_raw,
)
from experiments.benchmarks.objectives.lots import (
    PACES,
    LotRows,
    count_units,
    draw_smaller_lots,
    read_lots,
)
from experiments.benchmarks.objectives.sources import (
    NoSourcesError,
    Source,
    load_rows,
    market_source,
    rows_directory,
)
from experiments.simulator.configuration.configuration import Simulation
from features.catalogue.catalogue import CATALOGUE
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.progress import ignore_progress
from serving.prediction.init_score import LOT
from tests.worlds.progress import Reports
from tests.worlds.training import HORIZONS, drop_returns, market_rows
from training.data.cold_start_rows import add_cold_start_copies
from training.data.sample import Sample
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import TrainingInput, TrainingRecipe
from training.data.training_set import read_training_set
from training.fit.fit_targets import fit_targets
from training.settings import TrainingSettings
from training.shrinkage.learned_parameters import learn_parameters

SELLING: Target = "sell_through"
SETTINGS = TrainingSettings(
    trees=12,
    learning_rate=0.2,
    min_samples_leaf=20,
    min_rows=30,
    boosters=2,
    fold_boosters=2,
    seasonal_uplifts=(),
)
RECIPE = TrainingRecipe(HORIZONS, CATALOGUE, SETTINGS)
BY_NAME = {contestant.name: contestant for contestant in CONTESTANTS}


@cache
def _prepared() -> tuple[TrainingInput, TargetSplit]:
    rows = drop_returns(market_rows(listings=60, weeks=40))
    training_set = add_cold_start_copies(read_training_set(rows, CATALOGUE), CATALOGUE)
    split = split_target(training_set, SELLING, HORIZONS, SETTINGS)
    splits: dict[Target, TargetSplit] = {SELLING: split}
    parameters = learn_parameters(training_set, splits, HORIZONS)
    return TrainingInput.build(RECIPE, training_set, parameters, splits), split


@cache
def _fitted() -> tuple[FittedBoosters, dict[str, Estimator]]:
    return fit_contestants(*_prepared())


def _estimate(name: str, lots: LotRows) -> FloatArray:
    boosters, estimators = _fitted()
    return estimators[name](predict_raw(BY_NAME[name], boosters, lots), lots)


def test_default_contestant_is_the_product() -> None:
    training_input, split = _prepared()
    product = fit_targets(training_input, {SELLING: split})[SELLING].model
    lots = read_lots(training_input, split.latest.rows)
    expected = product.predict(lots.inputs, np.ones(split.latest.rows.size)).share
    np.testing.assert_array_equal(_estimate(DEFAULT, lots), expected)


@pytest.mark.parametrize("name", NAMES)
def test_contestants_know_more_than_a_constant(name: str) -> None:
    training_input, split = _prepared()
    found = _estimate(name, read_lots(training_input, split.latest.rows))
    assert ((found >= 0) & (found <= 1)).all()
    assert np.corrcoef(found, split.latest.label)[0, 1] > 0.3


@pytest.mark.parametrize("name", [one.name for one in CONTESTANTS if not one.sees_lot])
def test_trees_without_the_lot_promise_a_smaller_share_of_a_larger_lot(name: str) -> None:
    training_input, split = _prepared()
    lots = read_lots(training_input, split.latest.rows)
    boosters, _ = _fitted()
    raw = [
        predict_raw(BY_NAME[name], boosters, one) for one in (lots, lots.with_lots(lots.lot * 9))
    ]
    np.testing.assert_array_equal(raw[0], raw[1])
    assert (_estimate(name, lots.with_lots(lots.lot * 9)) < _estimate(name, lots)).all()


@pytest.mark.parametrize("name", [one.name for one in CONTESTANTS if one.sees_lot])
def test_trees_with_the_lot_use_it(name: str) -> None:
    training_input, split = _prepared()
    lots = read_lots(training_input, split.latest.rows)
    assert np.any(_estimate(name, lots.with_lots(lots.lot / 9)) != _estimate(name, lots))


def test_covers_are_paces_per_unit_and_no_other_input_depends_on_the_lot() -> None:
    training_input, split = _prepared()
    lots = read_lots(training_input, split.latest.rows[:20])
    covers = lots.with_covers()
    for place, name in enumerate(PACES):
        pace = lots.inputs[:, lots.names.index(name)]
        np.testing.assert_array_equal(covers.inputs[:, len(lots.names) + place], pace / lots.lot)
    columns = training_input.training_set.columns
    larger = replace(
        training_input,
        training_set=replace(
            training_input.training_set, columns={**columns, LOT: columns[LOT] * 3}
        ),
    )
    expected = read_lots(larger, split.latest.rows[:20])
    np.testing.assert_array_equal(lots.with_lots(lots.lot * 3).inputs, expected.inputs)


def test_smaller_lots_sell_what_buyers_wanted_of_the_larger() -> None:
    lot = np.array([1.0, 2.0, 50.0, 400.0, 1_000.0])
    units = np.array([1.0, 2.0, 7.0, 0.0, 1_000.0])
    sample = Sample(np.arange(5), units / lot, np.ones(5))
    np.testing.assert_array_equal(count_units(sample, lot), units)
    rows, smaller = draw_smaller_lots(sample, lot)
    assert rows.rows.tolist() == [1, 2, 3, 4]
    assert ((smaller >= 1) & (smaller < lot[1:]) & (smaller == np.floor(smaller))).all()
    sold = [min(one, q) / q for one, q in zip(units[1:], smaller, strict=True)]
    np.testing.assert_array_equal(rows.label, sold)
    np.testing.assert_array_equal(smaller, draw_smaller_lots(sample, lot)[1])


def test_counts_of_another_size_are_another_contestant() -> None:
    sizes = [one.counts.size for one in CONTESTANTS if isinstance(one, CountContestant)]
    assert len(set(sizes)) == len(sizes) >= 2
    assert len(set(NAMES)) == len(NAMES)
    assert DEFAULT in NAMES


def test_rows_of_namesakes_are_kept_apart(tmp_path: Path) -> None:
    one, other = (Source("tables", tmp_path / parent / "tables") for parent in ("2024", "2025"))
    assert rows_directory(one, tmp_path) != rows_directory(other, tmp_path)
    assert rows_directory(one, tmp_path) == rows_directory(replace(one), tmp_path)


@pytest.mark.slow
def test_rows_of_a_market_are_made_once(tmp_path: Path) -> None:
    market = Simulation(products=40, markets=("US",), days=150, seed=3)
    source = market_source(market, tmp_path)
    first = load_rows(source, tmp_path, Horizons(), progress=ignore_progress).read_rows()
    reports = Reports()
    assert load_rows(source, tmp_path, Horizons(), progress=reports).read_rows().equals(first)
    assert reports.stages == ["the market", "check: reused", "features: reused"]
    assert source.seed == 3


def test_command_compares_on_tables_and_says_which_origins_were_possible(
    year_market: Path, prepared_run: Path, tmp_path: Path
) -> None:
    config = tmp_path / "quick.toml"
    config.write_text("[training]\ntrees = 3\nmin_train_days = 230\n")
    source = Source(str(year_market), year_market)
    shutil.copytree(prepared_run, rows_directory(source, tmp_path))
    arguments = ["--seeds", 0, "--data", year_market, "--work", tmp_path, "--config", config]
    result = CliRunner().invoke(
        xuanpin.app, ["bench", "objectives", *map(str, arguments), "--json"], catch_exceptions=False
    )
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert [one["origin"] for one in document["rounds"]] == [0, 1]
    assert [one["origin"] for one in document["skipped"]] == [2]
    assert len(document["verdicts"]) == 2
    for one in document["summaries"]:
        beside = one["log_loss_minus_default"]
        assert set(beside[document["default"]].values()) == {0.0}
        assert all(beside[name]["mean"] != 0 for name in NAMES if name != DEFAULT)


def test_command_without_any_data_is_refused() -> None:
    result = CliRunner().invoke(xuanpin.app, ["bench", "objectives", "--seeds", "0"])
    assert isinstance(result.exception, NoSourcesError)
    assert result.exception.exit_code == 2
