"""The comparison of objectives: what contestants say, and what an origin may know."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit, logit
from typer.testing import CliRunner

import xuanpin
from experiments.benchmarks.objectives.benchmark import calibrate
from experiments.benchmarks.objectives.contestants import (
    DEFAULTS,
    MIXED,
    MORE,
    NAMES,
    OTHERS,
    Contestant,
    predict_raw,
    references,
    rivals,
    select_curves,
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
from features.declarations.targets import TARGETS, Target
from features.runtime.arrays import FloatArray
from features.runtime.progress import ignore_progress
from tests.worlds.progress import Reports
from tests.worlds.training import HORIZONS, market_rows
from training.boosting.objectives import booster_parameters
from training.calibration.choose import CURVES, CURVES_WITH_IDENTITY, CurveFitter, fit_curve
from training.calibration.curves import fit_isotonic
from training.data.cold_start_rows import add_cold_start_copies
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import TrainingInput, TrainingRecipe
from training.data.training_set import read_training_set
from training.fit.fit_targets import fit_targets
from training.settings import TrainingSettings, UpliftSetting
from training.shrinkage.learned_parameters import learn_parameters

SETTINGS = TrainingSettings(trees=12, learning_rate=0.2, min_samples_leaf=20, min_rows=30)
RECIPE = TrainingRecipe(HORIZONS, CATALOGUE, SETTINGS)
FORMULA = CATALOGUE.model_inputs.index("expected_return_rate_180d")
SOURCE = Source("made up", Path("nowhere"))
DEFAULT = DEFAULTS["sell_through"]
OBJECTIVES: dict[str, dict[str, Any]] = {
    "cross-entropy": {},
    "L2": {"objective": "regression"},
    "L1": {"objective": "regression_l1", "monotone_constraints": None},
    "median": {"objective": "quantile", "alpha": 0.5, "monotone_constraints": None},
    "quantile 0.8": {"objective": "quantile", "alpha": 0.8, "monotone_constraints": None},
    "Tweedie on units": {"objective": "tweedie", "tweedie_variance_power": 1.3},
}


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return market_rows(listings=60, weeks=40)


@pytest.fixture(scope="module")
def prepared(rows: pa.Table) -> tuple[TrainingInput, dict[Target, TargetSplit]]:
    training_set = add_cold_start_copies(read_training_set(rows, CATALOGUE), CATALOGUE)
    splits = {
        target: split_target(training_set, target, HORIZONS, SETTINGS)
        for target in training_set.outcomes
    }
    parameters = learn_parameters(training_set, splits, HORIZONS)
    return TrainingInput.build(RECIPE, training_set, parameters, splits), splits


@pytest.fixture(scope="module")
def said(
    prepared: tuple[TrainingInput, dict[Target, TargetSplit]],
) -> dict[Target, dict[str, list[FloatArray]]]:
    training_input, splits = prepared
    return {target: predict_raw(training_input, split) for target, split in splits.items()}


BareShare = Callable[[Target, str, Sequence[int]], FloatArray]
"""Returns the mean share, 1 at most, that LightGBM foretells of the latest rows, over seeds."""


@pytest.fixture(scope="module")
def bare(prepared: tuple[TrainingInput, dict[Target, TargetSplit]]) -> BareShare:
    training_input, splits = prepared

    @cache
    def fit_once(target: Target, objective: str, seed: int) -> FloatArray:
        return _fit_bare(training_input, splits[target], objective, seed)

    def mean_share(target: Target, objective: str, seeds: Sequence[int]) -> FloatArray:
        share = np.mean([fit_once(target, objective, seed) for seed in seeds], axis=0)
        formula = _formula(training_input, target, objective)
        if formula is None:
            return np.asarray(share)
        return np.asarray(expit(logit(share) + logit(formula[splits[target].latest.rows])))

    return mean_share


def _formula(training_input: TrainingInput, target: Target, objective: str) -> FloatArray | None:
    """Return the shares that trees start from, if they do."""
    if (objective, target) != ("cross-entropy", "return_risk"):
        return None
    return np.clip(
        training_input.design_matrix(training_input.training_set.rows)[:, FORMULA], 0.001, 0.999
    )


def _fit_bare(
    training_input: TrainingInput, split: TargetSplit, objective: str, seed: int
) -> FloatArray:
    """Return the shares of a booster of its own."""
    learned, asked = split.train, split.latest.rows
    weight = learned.weight
    if objective == "Tweedie on units":
        offered = training_input.training_set.columns["units_offered"][learned.rows]
        weight = (offered if split.target == "sell_through" else weight) ** 0.7
    formula = _formula(training_input, split.target, objective)
    start = None if formula is None else logit(formula[learned.rows])
    parameters = booster_parameters(CATALOGUE.monotone(split.target), SETTINGS)
    seeds = {"bagging_seed": seed, "feature_fraction_seed": seed}
    data = lightgbm.Dataset(
        training_input.design_matrix(learned.rows), learned.label, weight=weight, init_score=start
    )
    trees = SETTINGS.trees if formula is None else round(SETTINGS.trees / 10)
    booster = lightgbm.train(
        {**parameters, **OBJECTIVES[objective], **seeds}, data, num_boost_round=trees
    )
    return np.asarray(np.minimum(booster.predict(training_input.design_matrix(asked)), 1))


@pytest.mark.parametrize("contestant", [MIXED, *OTHERS, MORE], ids=lambda one: one.name)
@pytest.mark.parametrize("target", TARGETS)
def test_contestant_says_what_bare_boosters_say_on_average(
    target: Target,
    contestant: Contestant,
    prepared: tuple[TrainingInput, dict[Target, TargetSplit]],
    said: dict[Target, dict[str, list[FloatArray]]],
    bare: BareShare,
) -> None:
    _, splits = prepared
    draws = said[target][contestant.name]
    fitted = 9 if contestant.objective in ("cross-entropy", "Tweedie on units") else 5
    assert len(draws) == (1 if contestant.boosters == fitted else fitted)
    for place in {0, len(draws) - 1}:
        seeds = [(place + number) % fitted for number in range(contestant.boosters)]
        found = draws[place][splits[target].latest.rows]
        ours, others = seeds[: len(seeds) - contestant.tweedie], seeds[-contestant.tweedie :]
        expected = bare(target, contestant.objective, ours)
        if contestant.tweedie:
            beside = bare(target, "Tweedie on units", others)
            expected = (expected * len(ours) + beside * len(others)) / len(seeds)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("target", TARGETS)
def test_default_contestant_is_the_product(
    target: Target,
    prepared: tuple[TrainingInput, dict[Target, TargetSplit]],
    said: dict[Target, dict[str, list[FloatArray]]],
) -> None:
    training_input, splits = prepared
    split = splits[target]
    product = fit_targets(training_input, splits).models[target]
    found = calibrate(
        said[target][DEFAULTS[target].name][0],
        training_input,
        split,
        contestant=DEFAULTS[target].name,
    )
    np.testing.assert_array_equal(
        found, product.predict(training_input.design_matrix(split.latest.rows))
    )


@pytest.mark.parametrize("target", TARGETS)
def test_default_meets_every_other_and_is_none_of_its_references(target: Target) -> None:
    default = DEFAULTS[target].name
    assert {default, *rivals(target), *references(target)} == set(NAMES)
    assert default not in (*rivals(target), *references(target))
    objectives = {name.rpartition(", ")[0] for name in (default, *rivals(target))}
    assert objectives >= set(OBJECTIVES)


@pytest.mark.parametrize(
    ("name", "of_return_risk"),
    [
        (MIXED.name, CURVES_WITH_IDENTITY),
        ("cross-entropy, 1", CURVES_WITH_IDENTITY),
        ("cross-entropy, 9", CURVES_WITH_IDENTITY),
        ("L2, 5", CURVES),
        ("Tweedie on units, 5", CURVES),
        ("shrinkage", CURVES),
        ("constant", CURVES),
    ],
)
def test_contestants_get_the_curves_of_the_product_where_they_start_as_it_does(
    name: str, of_return_risk: tuple[CurveFitter, ...]
) -> None:
    assert select_curves(name, "return_risk", CATALOGUE.model_inputs) == of_return_risk
    assert select_curves(name, "return_risk", ("return_rate_180d",)) == CURVES
    assert select_curves(name, "sell_through", CATALOGUE.model_inputs) == (fit_isotonic,)


def test_calibration_is_the_contestant_s(
    prepared: tuple[TrainingInput, dict[Target, TargetSplit]],
    said: dict[Target, dict[str, list[FloatArray]]],
) -> None:
    training_input, splits = prepared
    split = splits["return_risk"]
    (raw,) = said["return_risk"]["shrinkage"]
    products = training_input.training_set.keys["product_id"]
    for name, curves in (("shrinkage", CURVES), (MORE.name, CURVES_WITH_IDENTITY)):
        expected = fit_curve(raw, split, products, curves).apply(raw[split.latest.rows])
        np.testing.assert_array_equal(
            calibrate(raw, training_input, split, contestant=name), expected
        )


def test_contestants_are_asked_as_the_product_is_where_the_calendar_speaks(
    prepared: tuple[TrainingInput, dict[Target, TargetSplit]],
) -> None:
    training_input, splits = prepared
    always = UpliftSetting(name="always", first="01-01", last="12-31", uplift=0.5)
    settings = SETTINGS.model_copy(update={"seasonal_uplifts": (always,)})
    told = TrainingInput.build(
        replace(RECIPE, settings=settings),
        training_input.training_set,
        training_input.parameters,
        splits,
    )
    split = splits["sell_through"]
    product = fit_targets(told, splits).models["sell_through"]
    first, *_ = predict_raw(told, split)[DEFAULT.name]
    asked = told.inputs_for("sell_through", split.latest.rows)
    found = calibrate(first, told, split, contestant=DEFAULT.name)
    np.testing.assert_array_equal(found, product.predict(asked))
    assert not np.array_equal(found, product.predict(told.design_matrix(split.latest.rows)))


@pytest.mark.parametrize(
    ("boosters", "fitted", "expected"),
    [
        (1, 3, ((0,), (1,), (2,))),
        (3, 4, ((0, 1, 2), (1, 2, 3), (2, 3, 0), (3, 0, 1))),
        (1, 1, ((0,),)),
        (4, 4, ((0, 1, 2, 3),)),
    ],
)
def test_draws_are_neighbours_in_a_ring(
    boosters: int, fitted: int, expected: tuple[tuple[int, ...], ...]
) -> None:
    assert Contestant("cross-entropy", boosters).draws(fitted) == expected


def test_draw_of_more_boosters_than_are_fitted_is_refused() -> None:
    with pytest.raises(ValueError, match="L2, 3 of 1 boosters"):
        Contestant("L2", 3).draws(1)


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
    config.write_text("[training]\ntrees = 3\nmin_train_days = 100\n")
    source = Source(str(year_market), year_market)
    shutil.copytree(prepared_run, rows_directory(source, tmp_path))
    arguments = ["--seeds", 0, "--data", year_market, "--work", tmp_path, "--config", config]
    result = CliRunner().invoke(
        xuanpin.app, ["bench", "objectives", *map(str, arguments), "--json"], catch_exceptions=False
    )
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    kinds = [(one["target"], one["origin"]) for one in document["rounds"]]
    assert kinds == [(target, origin) for origin in range(2) for target in TARGETS]
    assert [one["origin"] for one in document["skipped"]] == [2]
    assert len(document["verdicts"]) >= 2
    for one in document["summaries"]:
        beside = one["calibrated_log_loss_minus_default"]
        assert set(beside[document["defaults"][one["target"]]].values()) == {0.0}
        assert beside["constant"]["mean"] != 0


def test_command_without_any_data_is_refused() -> None:
    result = CliRunner().invoke(xuanpin.app, ["bench", "objectives", "--seeds", "0"])
    assert isinstance(result.exception, NoSourcesError)
    assert result.exception.exit_code == 2
