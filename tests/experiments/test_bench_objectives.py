"""The comparison of objectives: what contestants say, what an origin may know, and the verdicts."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console
from scipy.special import expit, logit
from typer.testing import CliRunner

import xuanpin
from experiments.bench_objectives.contestants import (
    DEFAULTS,
    MIXED,
    MORE,
    NAMES,
    OTHERS,
    Contestant,
    curves_of,
    raw_of_contestants,
    references,
    rivals,
)
from experiments.bench_objectives.leads import Leads, leads_of, pooled
from experiments.bench_objectives.measuring import (
    Figures,
    Measured,
    Refusal,
    Round,
    calibrated,
    figures,
    rounds_of,
)
from experiments.bench_objectives.origins import cut_off_of, known_by
from experiments.bench_objectives.page import as_document, page
from experiments.bench_objectives.sources import Source, market_source, rows_directory, rows_of
from experiments.bench_objectives.verdicts import verdicts
from experiments.simulated_market.configuration import Simulation
from features.catalogue import CATALOGUE
from features.declarations import TARGETS, FloatArray, Target
from features.horizons import Horizons
from tests.training_market import HORIZONS, market_rows
from training.booster_objectives import booster_parameters
from training.calibration import fit_knots
from training.calibration_choice import CURVES, CURVES_OF_FITTED, Fit
from training.forecast import curve
from training.hidden_history import with_hidden_histories
from training.learned_parameters import learned_parameters
from training.material import Material, Recipe, prepare
from training.sample import Sample
from training.season_settings import SeasonRiseSetting
from training.settings import TrainingSettings
from training.split import Division, divide
from training.target_fitting import fit_targets
from training.training_set import Coded, read_training_set

SETTINGS = TrainingSettings(trees=12, learning_rate=0.2, least_leaf_rows=20)
RECIPE = Recipe(HORIZONS, CATALOGUE, SETTINGS)
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
    return market_rows(listings=120, weeks=40)


@pytest.fixture(scope="module")
def prepared(rows: pa.Table) -> tuple[Material, dict[Target, Division]]:
    training_set = with_hidden_histories(read_training_set(rows, CATALOGUE), CATALOGUE)
    divisions = {
        target: divide(training_set, target, HORIZONS, SETTINGS) for target in training_set.outcomes
    }
    parameters = learned_parameters(training_set, divisions, HORIZONS)
    return prepare(RECIPE, training_set, parameters, divisions), divisions


@pytest.fixture(scope="module")
def said(
    prepared: tuple[Material, dict[Target, Division]],
) -> dict[Target, dict[str, list[FloatArray]]]:
    material, divisions = prepared
    return {
        target: raw_of_contestants(material, division) for target, division in divisions.items()
    }


def _bare(
    material: Material, division: Division, objective: str, seeds: Sequence[int]
) -> FloatArray:
    """Return the mean share that LightGBM foretells of the latest rows, 1 at most."""
    learned, asked = division.train, division.latest.rows
    weight, start, formula = learned.weight, None, None
    if objective == "Tweedie on units":
        offered = material.training_set.columns["units_offered"][learned.rows]
        weight = (offered if division.target == "sell_through" else weight) ** 0.7
    if objective == "cross-entropy" and division.target == "return_risk":
        formula = np.clip(material.matrix[:, FORMULA], 0.001, 0.999)
        start = logit(formula[learned.rows])
    parameters = booster_parameters(CATALOGUE.monotone(division.target), SETTINGS)
    shares = []
    for seed in seeds:
        seeded = {
            **parameters,
            **OBJECTIVES[objective],
            "bagging_seed": seed,
            "feature_fraction_seed": seed,
        }
        data = lightgbm.Dataset(
            material.matrix[learned.rows], learned.label, weight=weight, init_score=start
        )
        trees = SETTINGS.trees if formula is None else round(SETTINGS.trees / 10)
        booster = lightgbm.train(seeded, data, num_boost_round=trees)
        shares.append(np.minimum(booster.predict(material.matrix[asked]), 1))
    share = np.mean(shares, axis=0)
    if formula is None:
        return np.asarray(share)
    return np.asarray(expit(logit(share) + logit(formula[asked])))


@pytest.mark.parametrize("contestant", [MIXED, *OTHERS, MORE], ids=lambda one: one.name)
@pytest.mark.parametrize("target", TARGETS)
def test_contestant_says_what_bare_boosters_say_on_average(
    target: Target,
    contestant: Contestant,
    prepared: tuple[Material, dict[Target, Division]],
    said: dict[Target, dict[str, list[FloatArray]]],
) -> None:
    material, divisions = prepared
    draws = said[target][contestant.name]
    fitted = 9 if contestant.objective in ("cross-entropy", "Tweedie on units") else 5
    assert len(draws) == (1 if contestant.boosters == fitted else fitted)
    for place in {0, len(draws) - 1}:
        seeds = [(place + number) % fitted for number in range(contestant.boosters)]
        found = draws[place][divisions[target].latest.rows]
        ours, others = seeds[: len(seeds) - contestant.tweedie], seeds[-contestant.tweedie :]
        expected = _bare(material, divisions[target], contestant.objective, ours)
        if contestant.tweedie:
            beside = _bare(material, divisions[target], "Tweedie on units", others)
            expected = (expected * len(ours) + beside * len(others)) / len(seeds)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("target", TARGETS)
def test_default_contestant_is_the_product(
    target: Target,
    prepared: tuple[Material, dict[Target, Division]],
    said: dict[Target, dict[str, list[FloatArray]]],
) -> None:
    material, divisions = prepared
    division = divisions[target]
    product = fit_targets(material, divisions)[target]
    found = calibrated(
        said[target][DEFAULTS[target].name][0], material, division, by=DEFAULTS[target].name
    )
    np.testing.assert_array_equal(found, product.predict(material.matrix[division.latest.rows]))


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
        (MIXED.name, CURVES_OF_FITTED),
        ("cross-entropy, 1", CURVES_OF_FITTED),
        ("cross-entropy, 9", CURVES_OF_FITTED),
        ("L2, 5", CURVES),
        ("Tweedie on units, 5", CURVES),
        ("shrinkage", CURVES),
        ("constant", CURVES),
    ],
)
def test_contestants_get_the_curves_of_the_product_where_they_start_as_it_does(
    name: str, of_return_risk: tuple[Fit, ...]
) -> None:
    assert curves_of(name, "return_risk", CATALOGUE.model_inputs) == of_return_risk
    assert curves_of(name, "return_risk", ("return_rate_180d",)) == CURVES
    assert curves_of(name, "sell_through", CATALOGUE.model_inputs) == (fit_knots,)


def test_calibration_is_the_contestant_s(
    prepared: tuple[Material, dict[Target, Division]],
    said: dict[Target, dict[str, list[FloatArray]]],
) -> None:
    material, divisions = prepared
    division = divisions["return_risk"]
    (raw,) = said["return_risk"]["shrinkage"]
    products = material.training_set.keys["product_id"]
    for name, curves in (("shrinkage", CURVES), (MORE.name, CURVES_OF_FITTED)):
        expected = curve(raw, division, products, curves).apply(raw[division.latest.rows])
        np.testing.assert_array_equal(calibrated(raw, material, division, by=name), expected)


def test_contestants_are_asked_as_the_product_is_where_the_calendar_speaks(
    prepared: tuple[Material, dict[Target, Division]],
) -> None:
    material, divisions = prepared
    always = SeasonRiseSetting(name="always", first="01-01", last="12-31", rise=0.5)
    settings = SETTINGS.model_copy(update={"season_rises": (always,)})
    told = prepare(
        replace(RECIPE, settings=settings), material.training_set, material.parameters, divisions
    )
    division = divisions["sell_through"]
    product = fit_targets(told, divisions)["sell_through"]
    first, *_ = raw_of_contestants(told, division)[DEFAULT.name]
    asked = told.asked("sell_through", division.latest.rows)
    found = calibrated(first, told, division, by=DEFAULT.name)
    np.testing.assert_array_equal(found, product.predict(asked))
    assert not np.array_equal(found, product.predict(told.matrix[division.latest.rows]))


def _altered_after(rows: pa.Table, end: int) -> pa.Table:
    """Turn over what became known after a day: later rows, and labels not final by then."""
    day = rows["as_of_day"].to_numpy()
    for target in TARGETS:
        label = rows[target].to_numpy()
        is_later = day + HORIZONS.maturity_days(target) > end
        rows = _replaced(rows, target, np.where(is_later, 1 - label, label))
    for name in ("units_offered", "units_ordered_label", "list_price_minor"):
        values = rows[name].to_numpy()
        is_later = day > end - (HORIZONS.sell_through_maturity_days if "label" in name else 0)
        rows = _replaced(rows, name, np.where(is_later, values + 3, values))
    return rows


def _replaced(rows: pa.Table, name: str, values: FloatArray) -> pa.Table:
    place = rows.column_names.index(name)
    return rows.set_column(place, name, pa.array(values, from_pandas=True))


def test_origin_moved_back_never_sees_a_later_label(rows: pa.Table) -> None:
    quick = replace(RECIPE, settings=SETTINGS.model_copy(update={"trees": 3}))
    end = cut_off_of(rows) - SETTINGS.latest_days
    altered = _altered_after(rows, end)
    assert rounds_of(SOURCE, altered, origin=1, recipe=quick) == rounds_of(
        SOURCE, rows, origin=1, recipe=quick
    )
    assert rounds_of(SOURCE, altered, origin=0, recipe=quick) != rounds_of(
        SOURCE, rows, origin=0, recipe=quick
    )


@pytest.mark.parametrize("back", [0, 1, 30, 100])
def test_rows_known_by_a_day_are_those_of_a_plain_loop(rows: pa.Table, back: int) -> None:
    end = cut_off_of(rows) - back
    known = known_by(rows, end, HORIZONS)
    assert cut_off_of(known) == end
    columns = ["listing_id", "as_of_day", *TARGETS, *(f"{one}_is_mature" for one in TARGETS)]
    expected = []
    for row in rows.select(columns).to_pylist():
        if row["as_of_day"] > end:
            continue
        for target in TARGETS:
            if row["as_of_day"] + HORIZONS.maturity_days(target) > end:
                row |= {target: None, f"{target}_is_mature": False}
        expected.append(row)
    assert known.select(columns).to_pylist() == expected


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        ([0.5, 0.5], (np.log(2), 0.5, 0.25)),
        ([-3.0, 9.0], (0.0, 0.0, 0.0)),
        ([0.2, 0.9], (-(np.log(0.8) + 3 * np.log(0.9)) / 4, 0.125, 0.125)),
    ],
)
def test_figures_weigh_rows_and_clip_into_shares(
    estimate: list[float], expected: tuple[float, float, float]
) -> None:
    latest = Sample(np.arange(2), np.array([0.0, 1.0]), np.array([1.0, 3.0]))
    found = figures(latest, [np.array(estimate)])
    got = (found.log_loss, found.mean_absolute_error, found.calibration_error)
    assert got == pytest.approx(expected, abs=1e-5)


def _round(
    origin: int,
    losses: Mapping[str, float],
    *,
    apart: float = 0.0,
    target: Target = "sell_through",
) -> Round:
    """Make a round whose products differ by `apart` from each other in what a contestant gains."""
    default = DEFAULTS[target].name
    said = {name: Figures(losses.get(name, 0.5), 0.2, 0.1) for name in NAMES}
    turn = np.where(np.arange(50) % 2, apart, -apart)
    more = {name: said[name].log_loss - said[default].log_loss + turn for name in NAMES}
    return Round(
        data="made up",
        seed=None,
        origin=origin,
        target=target,
        learned_rows=9,
        judged_rows=9,
        judged_days=(1, 2),
        raw=said,
        calibrated=said,
        leads=Leads(tuple(f"P{number}" for number in range(50)), np.full(50, 0.02), more),
    )


@pytest.mark.parametrize(
    ("losses", "apart", "said"),
    [
        ([{DEFAULT.name: 0.4}] * 2, 0, [("reached", "the default has the least", "the default")]),
        (
            [{"L2, 5": 0.4}, {"L2, 5": 0.45}],
            0.1,
            [("not reached", "L2, 5 has -0.0750 [-0.", "surely less and less in every round")],
        ),
        (
            [{"L2, 5": 0.4}, {"L2, 5": 0.51}, {"L2, 5": 0.4}],
            0.1,
            [("not reached", "L2, 5 has -0.0633 [-0.", "beside the default, surely less")],
        ),
        (
            [{"L2, 5": 0.499}, {"L2, 5": 0.4995}],
            0.1,
            [("not reached", "L2, 5 has -0.0008 [-0.", "beside the default, less in every round")],
        ),
        (
            [{"L2, 5": 0.49}, {"L2, 5": 0.508}],
            0.1,
            [("reached", "L2, 5 has -0.0010 [-0.", "which may be luck")],
        ),
        ([{DEFAULT.name: 0.4}], 0, [("not reached", "one round says nothing", "the default")]),
        (
            [{DEFAULT.name: 0.4, "constant": 0.3}] * 2,
            0,
            [
                ("reached", "the default has the least", "the default"),
                ("beaten by a reference", "constant has -0.1000", "less in every round"),
            ],
        ),
        (
            [{DEFAULT.name: 0.4, "constant": 0.3, MORE.name: 0.39}] * 2,
            0,
            [
                ("reached", "the default has the least", "the default"),
                ("beaten by a reference", "cross-entropy, 9 has -0.0100", "less in every round"),
                ("beaten by a reference", "constant has -0.1000", "less in every round"),
            ],
        ),
        (
            [{DEFAULT.name: 0.4, "constant": 0.39}, {DEFAULT.name: 0.4, "constant": 0.408}],
            0.1,
            [
                ("reached", "the default has the least", "the default"),
                ("beaten by a reference", "constant has -0.0010", "which may be luck"),
            ],
        ),
    ],
)
@pytest.mark.parametrize("target", TARGETS)
def test_verdict_says_whether_the_default_wins(
    losses: list[dict[str, float]], apart: float, said: list[tuple[str, str, str]], target: Target
) -> None:
    ours = [{_of(target, name): one for name, one in losing.items()} for losing in losses]
    rounds = [_round(place, one, apart=apart, target=target) for place, one in enumerate(ours)]
    found = verdicts(Measured(rounds, []))
    for line, (verdict, lead, end) in zip(found, said, strict=True):
        assert line.startswith(f"{verdict}: made up, {target}: {lead}")
        assert line.endswith(end)


def _of(target: Target, name: str) -> str:
    """Return the default of a target where that of sell-through is meant."""
    return DEFAULTS[target].name if name == DEFAULT.name else name


def test_mixed_boosters_are_a_rival_of_nobody_and_a_reference_of_return_risk() -> None:
    losses = {DEFAULTS["return_risk"].name: 0.4, MIXED.name: 0.39}
    rounds = [_round(place, losses, target="return_risk") for place in range(2)]
    first, second = verdicts(Measured(rounds, []))
    assert first.startswith("reached: made up, return_risk: the default has the least log loss")
    assert second.startswith(f"beaten by a reference: made up, return_risk: {MIXED.name} has -0.01")


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


def test_figures_are_means_over_draws() -> None:
    latest = Sample(np.arange(2), np.array([0.0, 1.0]), np.array([1.0, 3.0]))
    draws = [np.array([0.2, 0.9]), np.array([0.4, 0.5])]
    both, first, second = (figures(latest, one) for one in (draws, draws[:1], draws[1:]))
    for name in ("log_loss", "mean_absolute_error", "calibration_error"):
        mean = (getattr(first, name) + getattr(second, name)) / 2
        assert getattr(both, name) == pytest.approx(mean)
        assert getattr(first, name) != getattr(second, name)


def test_leads_by_product_add_up_to_the_difference_of_the_losses() -> None:
    rng = np.random.default_rng(0)
    latest = Sample(np.arange(5, 405), rng.uniform(size=400), rng.uniform(1, 9, 400))
    products = Coded(rng.integers(0, 30, 500), tuple(f"P{number}" for number in range(31)))
    said = {name: rng.uniform(0.01, 0.99, 400) for name in ("ours", "other")}
    draws = {"ours": [said["ours"]], "other": [said["other"], said["ours"]]}
    found = leads_of(latest, products, draws, default="ours")
    losses = {name: figures(latest, one).log_loss for name, one in draws.items()}
    assert (found.share * found.more["other"]).sum() == pytest.approx(
        losses["other"] - losses["ours"]
    )
    assert (found.more["ours"] == 0).all()
    assert found.products == tuple(f"P{number}" for number in range(30))
    once = pooled([(None, found)])["other"]
    again = pooled([(None, found), (None, found)])["other"]
    assert (again.mean, again.low, again.high) == pytest.approx((once.mean, once.low, once.high))
    apart = pooled([(0, found), (1, found)])["other"]
    assert apart.mean == pytest.approx(once.mean)
    assert apart.high - apart.low < 0.85 * (once.high - once.low)


def test_page_and_document_hold_every_contestant_and_refusal() -> None:
    refusal = Refusal("made up", 4, 2, "Expected more days.")
    found = Measured([_round(0, {"L2, 5": 0.4125}), _round(1, {"L2, 5": 0.4325})], [refusal])
    console = Console(file=io.StringIO(), width=240)
    console.print(page(found))
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above
    document = json.loads(json.dumps(as_document(found)))
    assert "made up, seed 4: 2 origins were possible; then: Expected more days." in printed
    assert "-0.0775 (-0.0875 to -0.0675)" in printed
    (summary,) = document["summaries"]
    for name in NAMES:
        assert name in printed
        assert set(summary["raw"][name]) == {
            "log_loss",
            "mean_absolute_error",
            "calibration_error",
        }
    sure = summary["calibrated_log_loss_beside_default"]["L2, 5"]
    assert sure == pytest.approx({"mean": -0.0775, "low": -0.0775, "high": -0.0775})
    assert "-0.0775 [-0.0775, -0.0775]" in printed
    assert "leads" not in document["rounds"][0]
    beside = summary["calibrated"]["L2, 5"]["log_loss"]["beside_default"]
    assert beside["median"] == pytest.approx(-0.0775)


def test_rows_of_namesakes_are_kept_apart(tmp_path: Path) -> None:
    one, other = (Source("tables", tmp_path / parent / "tables") for parent in ("2024", "2025"))
    assert rows_directory(one, tmp_path) != rows_directory(other, tmp_path)
    assert rows_directory(one, tmp_path) == rows_directory(replace(one), tmp_path)


@pytest.mark.slow
def test_rows_of_a_market_are_made_once(tmp_path: Path) -> None:
    market = Simulation(products=40, markets=("US",), days=150, seed=3)
    told: list[str] = []
    source = market_source(market, tmp_path)
    first = rows_of(source, tmp_path, Horizons(), tell=told.append)
    told.clear()
    assert rows_of(source, tmp_path, Horizons(), tell=told.append).equals(first)
    assert told == ["the market", "check: as before", "features: as before"]
    assert source.seed == 3


def test_command_compares_on_tables_and_says_which_origins_were_possible(
    year_market: Path, tmp_path: Path
) -> None:
    config = tmp_path / "quick.toml"
    config.write_text("[training]\ntrees = 3\nleast_train_days = 100\n")
    arguments = ["--seeds", 0, "--data", year_market, "--work", tmp_path, "--config", config]
    result = CliRunner().invoke(
        xuanpin.app, ["bench", "objectives", *map(str, arguments), "--json"], catch_exceptions=False
    )
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    kinds = [(one["target"], one["origin"]) for one in document["rounds"]]
    assert kinds == [(target, origin) for origin in range(2) for target in TARGETS]
    assert [one["origin"] for one in document["refusals"]] == [2]
    assert len(document["verdicts"]) >= 2
    for one in document["summaries"]:
        beside = one["calibrated_log_loss_beside_default"]
        assert set(beside[document["defaults"][one["target"]]].values()) == {0.0}
        assert beside["constant"]["mean"] != 0


def test_command_without_any_data_is_refused() -> None:
    result = CliRunner().invoke(xuanpin.app, ["bench", "objectives", "--seeds", "0"])
    assert result.exit_code == 2
    assert "no market and no data" in result.stderr
