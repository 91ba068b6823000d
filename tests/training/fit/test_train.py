from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import TARGETS, Target
from features.runtime.progress import ignore_progress
from serving.bundle.bundle import load_bundle, write_bundle
from serving.bundle.model_files import model_files
from serving.prediction.predict import predict
from tests.worlds.progress import Reports
from tests.worlds.training import HORIZONS, drop_returns
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingRecipe
from training.data.training_set import TrainingSet, read_training_set
from training.errors import NoLabelsError, TooFewDaysError, TooFewPositivesError
from training.fit.learned_ranges import QUANTILES
from training.fit.train import CANARY_ROWS, TrainOutput, canary_rows, train
from training.settings import UpliftSetting


def _train(rows: pa.Table, recipe: TrainingRecipe) -> TrainOutput:
    return train(rows, recipe, git_commit="unknown", progress=ignore_progress)


def _files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize(("threads", "step"), [(1, 1), (2, 1), (3, -1)])
def test_training_again_gives_the_same_bytes_whatever_threads_and_column_order(
    threads: int,
    step: int,
    rows: pa.Table,
    recipe: TrainingRecipe,
    bundle_directory: Path,
    tmp_path: Path,
) -> None:
    settings = recipe.settings.model_copy(update={"threads": threads})
    again = _train(rows.select(rows.column_names[::step]), replace(recipe, settings=settings))
    bundle_id = write_bundle(again.contents, tmp_path)
    assert bundle_id == bundle_directory.name
    assert _files(tmp_path / bundle_id) == _files(bundle_directory)


def test_training_with_another_state_gives_another_bundle(
    rows: pa.Table, recipe: TrainingRecipe, bundle_directory: Path, tmp_path: Path
) -> None:
    settings = recipe.settings.model_copy(update={"random_state": 1})
    other = _train(rows, replace(recipe, settings=settings))
    assert write_bundle(other.contents, tmp_path) != bundle_directory.name


def test_training_yields_a_bundle_that_loads_and_predicts_the_same(
    trained: TrainOutput, training_set: TrainingSet, bundle_directory: Path
) -> None:
    loaded = load_bundle(bundle_directory)
    columns = {name: one[::50] for name, one in training_set.columns.items()}
    markets = training_set.row_markets(np.arange(training_set.as_of_day.size)[::50])
    demand = np.ones(len(markets))
    before = predict(trained.contents.models, columns, markets, coverage=0.8, demand=demand)
    after = predict(loaded.models, columns, markets, coverage=0.8, demand=demand)
    for target in TARGETS:
        for field in ("estimate", "low", "high"):
            first, second = (getattr(one.targets[target], field) for one in (before, after))
            assert first.tolist() == second.tolist()
    assert loaded.horizons == HORIZONS
    assert loaded.manifest.imputed == ("stock",)
    assert loaded.manifest.seasons == trained.contents.seasons
    assert loaded.manifest.metrics == trained.contents.metrics


def test_training_learns_nothing_from_labels_that_are_not_final(
    rows: pa.Table, recipe: TrainingRecipe, bundle_directory: Path, tmp_path: Path
) -> None:
    place = rows.column_names.index("sell_through")
    filled = pc.if_else(rows["sell_through_is_mature"], rows["sell_through"], 0.5)
    trained = _train(rows.set_column(place, "sell_through", filled), recipe)
    assert write_bundle(trained.contents, tmp_path) == bundle_directory.name


def test_models_know_nothing_of_the_latest_slice(
    rows: pa.Table, recipe: TrainingRecipe, trained: TrainOutput, splits: dict[Target, TargetSplit]
) -> None:
    latest = pa.array(rows["as_of_day"].to_numpy() >= splits["sell_through"].days.latest.first)
    place = rows.column_names.index("sell_through")
    turned = pc.if_else(latest, pc.subtract(1.0, rows["sell_through"]), rows["sell_through"])
    other = _train(rows.set_column(place, "sell_through", turned), recipe)
    ours, theirs = (
        [booster.text for booster in one.contents.models.targets["sell_through"].boosters]
        for one in (trained, other)
    )
    assert ours == theirs
    assert other.contents.models.parameters == trained.contents.models.parameters
    curves = [model_files(one.contents.models)["calibration.json"] for one in (trained, other)]
    assert curves[0] == curves[1]
    losses = [one.evaluations["sell_through"].overall["model"].log_loss for one in (trained, other)]
    assert losses[0] != losses[1]


def test_bundle_says_which_days_it_learned_from(
    trained: TrainOutput, splits: dict[Target, TargetSplit], training_set: TrainingSet
) -> None:
    learned, split = trained.contents.seasons.learned, splits["sell_through"]
    used = [split.train, split.curve_fit, split.residual_fit]
    moments = training_set.as_of_day[np.concatenate([one.rows for one in used])]
    assert learned.first == moments.min() + 1
    assert moments.max() + HORIZONS.horizon_days <= learned.last
    assert learned.last < split.days.latest.first
    # The made-up market lasts 36 weeks, so what comes after them is news.
    assert trained.evaluations["sell_through"].unseen_season == 1.0


def test_bundle_describes_the_rows_that_its_models_learned_from(
    trained: TrainOutput, splits: dict[Target, TargetSplit], training_set: TrainingSet
) -> None:
    as_of_day, latest = training_set.as_of_day, splits["sell_through"].days.latest
    is_final = as_of_day + HORIZONS.sell_through_maturity_days <= latest.first
    rows = np.flatnonzero(is_final & (training_set.masked == 0))
    price = training_set.columns["list_price_minor"][rows]
    stats = trained.contents.reference_stats["list_price_minor"]
    assert (stats.deciles[0], stats.deciles[-1]) == (price.min(), price.max())
    markets = np.array(training_set.row_markets(rows))
    for market, ranges in trained.contents.ranges.items():
        low, high = np.quantile(price[markets == market], QUANTILES, method="inverted_cdf")
        assert (ranges["list_price_minor"].low, ranges["list_price_minor"].high) == (low, high)


def test_calendar_changes_answers_about_news_and_nothing_that_is_learned(
    rows: pa.Table, recipe: TrainingRecipe, trained: TrainOutput, splits: dict[Target, TargetSplit]
) -> None:
    always = UpliftSetting(name="always", first="01-01", last="12-31", uplift=0.5)
    settings = recipe.settings.model_copy(update={"seasonal_uplifts": (always,)})
    told = _train(rows, replace(recipe, settings=settings))
    ours, theirs = (model_files(one.contents.models) for one in (trained, told))
    assert ours == theirs
    learned = [
        sample.rows
        for split in splits.values()
        for sample in (split.train, split.curve_fit, split.residual_fit)
    ]
    assert (told.training_input.demand[np.concatenate(learned)] == 1.0).all()
    latest = splits["sell_through"].latest.rows
    assert (told.training_input.demand[latest] > 1.0).any()
    found = told.evaluations["sell_through"]
    assert found.without_calendar == trained.evaluations["sell_through"].overall["model"]
    assert found.without_calendar is not None
    assert found.overall["model"].mean_estimate > found.without_calendar.mean_estimate
    assert trained.evaluations["sell_through"].without_calendar is None


@pytest.mark.parametrize("size", [1, 10, CANARY_ROWS, 500])
def test_canary_rows_are_spread_over_the_sample(
    size: int, training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    latest = splits["sell_through"].latest
    sample = latest.select(np.arange(latest.rows.size) < size)
    canary = canary_rows(training_set, sample)
    places = [round(one) for one in np.linspace(0, size - 1, min(size, CANARY_ROWS))]
    for name, values in canary.items():
        expected = training_set.columns[name][sample.rows[places]]
        np.testing.assert_array_equal(values, expected)


def test_training_tells_what_it_does(rows: pa.Table, recipe: TrainingRecipe) -> None:
    reports = Reports()
    train(rows, recipe, git_commit="unknown", progress=reports)
    assert reports.stages == [
        "learning how to pool rates",
        "fitting 9 boosters",  # 5 of the origins
        "judging them on the latest slice",
    ]


def test_training_without_returns_yields_a_bundle_of_sell_through_alone(
    rows: pa.Table, trained_without_returns: TrainOutput, tmp_path: Path
) -> None:
    trained = trained_without_returns
    assert list(trained.evaluations) == ["sell_through"]
    assert {name.partition(".")[0] for name in trained.contents.metrics} == {"sell_through"}
    directory = tmp_path / write_bundle(trained.contents, tmp_path)
    stored = {
        name: json.loads((directory / f"{name}.json").read_bytes())
        for name in ("schema", "calibration", "conformal", "canary")
    }
    assert stored["schema"]["targets"] == ["sell_through"]
    for held in (stored["calibration"], stored["conformal"], stored["canary"]["expected"]):
        assert list(held) == ["sell_through"]
    assert not list(directory.glob("return_risk*"))
    loaded = load_bundle(directory)
    training_set = read_training_set(drop_returns(rows), CATALOGUE)
    columns = training_set.columns
    markets = training_set.row_markets(np.arange(training_set.as_of_day.size))
    demand = np.ones(len(markets))
    before = predict(trained.contents.models, columns, markets, coverage=0.8, demand=demand)
    after = predict(loaded.models, columns, markets, coverage=0.8, demand=demand)
    assert list(after.targets) == ["sell_through"]
    assert after.score is before.score is None
    first, second = (one.targets["sell_through"].estimate for one in (before, after))
    np.testing.assert_array_equal(first, second)


def test_training_on_returns_without_a_label_is_refused_with_the_way_out(
    rows: pa.Table, recipe: TrainingRecipe
) -> None:
    place = rows.column_names.index("return_risk")
    nothing = pa.nulls(rows.num_rows, pa.float64())
    with pytest.raises(NoLabelsError, match="leave the returns table out"):
        _train(rows.set_column(place, "return_risk", nothing), recipe)


def test_training_on_too_few_returns_is_refused(rows: pa.Table, recipe: TrainingRecipe) -> None:
    place = rows.column_names.index("return_risk")
    is_first = pc.equal(rows["as_of_day"], pc.min(rows["as_of_day"]))
    few = pc.if_else(is_first, rows["return_risk"], pc.multiply(rows["return_risk"], 0.0))
    with pytest.raises(TooFewPositivesError, match="return_risk"):
        _train(rows.set_column(place, "return_risk", few), recipe)


def test_training_on_a_short_history_is_refused_with_the_days_needed(
    rows: pa.Table, recipe: TrainingRecipe
) -> None:
    first = pc.min(rows["as_of_day"]).as_py()
    short = rows.filter(pc.less(rows["as_of_day"], first + 90))
    with pytest.raises(TooFewDaysError, match=r"105 days .* have 85\."):
        _train(short, recipe)
