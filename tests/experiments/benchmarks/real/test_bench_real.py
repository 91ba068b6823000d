"""The comparison with rivals: switches that switch, rows that are shared, and its arithmetic."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from experiments.benchmarks.objectives.sources import NoSourcesError, Source
from experiments.benchmarks.real.altered_catalogue import AlteredCatalogue
from experiments.benchmarks.real.benchmark import (
    OUR_INPUTS,
    RealBenchmarkConfig,
    RealBenchmarkResult,
    Rival,
    measure,
)
from experiments.benchmarks.real.forecasts import ContestantForecast, Slices, add_equal_intervals
from experiments.benchmarks.real.mechanisms import (
    CONTROLS,
    LEARNED_INPUTS,
    MECHANISMS,
    Mechanism,
    family_inputs,
    fit_on_last_origin,
    fit_without_copies,
    refit_curve,
    varies,
)
from experiments.benchmarks.real.page import as_document, judge_mechanism, names_in_all
from experiments.benchmarks.real.plain_models import (
    encode_categories,
    fit_catboost,
    has_catboost,
    run_plain,
)
from experiments.benchmarks.real.product import (
    PRODUCT,
    TrainedProduct,
    forecast_latest,
    train_product,
)
from experiments.benchmarks.real.scores import (
    EARNS,
    HARMS,
    TOO_FEW,
    UNCLEAR,
    JudgedRows,
    Round,
    count_products,
    judge_round,
    judge_without,
    mean_scores,
    pool_excess,
    rank_correlation,
)
from experiments.benchmarks.real.tasks import Task, data_task
from features.catalogue.catalogue import CATALOGUE
from features.declarations.kinds import FeatureFamily
from features.declarations.targets import TARGETS, Target
from features.runtime.arrays import FloatArray
from features.runtime.progress import ProgressCallback, ignore_progress
from features.validation.report import ValidationReport
from serving.conformal.cell_residuals import CellResiduals
from serving.conformal.cells import ROOT, OwnEvidence
from serving.conformal.demand_tails import DemandTails
from serving.demand.lot_demand import log_lot
from serving.prediction.init_score import ORDER_SIZE, init_score
from serving.prediction.target_model import DemandModel
from tests.worlds.training import HORIZONS, QUICK, drop_returns, market_rows
from training.calibration.fitted_target import share_curve
from training.data.cold_start_rows import has_full_history
from training.data.prepare_rows import PreparedRows, ValidatedTables
from training.data.sample import NO_ROWS, Sample
from training.data.training_input import TrainingRecipe
from training.data.training_set import EncodedColumn
from training.fit.fit_targets import booster_requests, fit_locally
from training.metrics.bootstrap import BootstrapInterval
from xuanpin import app

SELLING: Target = "sell_through"
RECIPE = TrainingRecipe(HORIZONS, CATALOGUE, QUICK.model_copy(update={"boosters": 1, "trees": 5}))
BY_NAME = {mechanism.name: mechanism for mechanism in MECHANISMS}


@cache
def _rows() -> pa.Table:
    return drop_returns(market_rows(listings=120, weeks=30))


@cache
def _trained() -> TrainedProduct:
    return train_product(_rows(), RECIPE, ignore_progress)


@cache
def _returned_rows() -> pa.Table:
    return market_rows(listings=160, weeks=36)


@cache
def _trained_with_returns() -> TrainedProduct:
    return train_product(_returned_rows(), RECIPE, ignore_progress)


def _altered(mechanism: Mechanism) -> TrainingRecipe:
    assert mechanism.alter is not None
    return mechanism.alter(RECIPE)


FAMILIES = [family for family in FeatureFamily if family_inputs(family)]
"""The others are evidence alone."""


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("learned pooling", LEARNED_INPUTS),
        *((f"family {family.value}", family_inputs(family)) for family in FAMILIES),
    ],
)
def test_a_hidden_input_reaches_no_booster_and_the_others_stay(
    name: str, hidden: tuple[str, ...]
) -> None:
    assert hidden
    training_input = _trained().output.training_input
    columns = {key: one[:50] for key, one in training_input.training_set.columns.items()}
    catalogue = _altered(BY_NAME[name]).catalogue
    matrix = catalogue.design_matrix(columns, training_input.parameters)
    matrix = matrix[:, : len(CATALOGUE.model_inputs)]
    is_hidden = np.isin(CATALOGUE.model_inputs, hidden)
    assert is_hidden.sum() == len(hidden)
    assert np.isnan(matrix[:, is_hidden]).all()
    full = CATALOGUE.design_matrix(columns, training_input.parameters)
    np.testing.assert_array_equal(matrix[:, ~is_hidden], full[:, ~is_hidden])


def test_every_input_is_in_the_family_of_one_mechanism() -> None:
    names = [name for family in FeatureFamily for name in family_inputs(family)]
    inputs = {feature.name for feature in CATALOGUE.features if feature.is_input}
    assert sorted(names) == sorted(inputs - {ORDER_SIZE})


@pytest.mark.parametrize("family", FAMILIES)
def test_trees_start_from_the_same_lot_whatever_family_is_hidden(family: FeatureFamily) -> None:
    training_input, rows = _trained().output.training_input, np.arange(50)
    training_set = training_input.training_set
    dozens = {name: one / 12 for name, one in training_set.columns.items() if "order_lines" in name}
    altered = replace(
        training_input,
        training_set=replace(training_set, columns={**training_set.columns, **dozens}),
        recipe=_altered(BY_NAME[f"family {family.value}"]),
    )
    names = altered.recipe.catalogue.model_inputs
    start = init_score("sell_through", altered.design_matrix(rows), names)
    lot, order_size = (values[rows] for values in altered.lots)
    assert order_size.max() > 1
    np.testing.assert_array_equal(start, -log_lot(lot, order_size))


@pytest.mark.parametrize("name", ["start from a formula", "family returns", "learned pooling"])
def test_trees_start_from_no_formula_that_is_switched_off(name: str) -> None:
    altered = _altered(BY_NAME[name])
    names = altered.catalogue.model_inputs
    training_input = _trained_with_returns().output.training_input
    columns = {key: one[:50] for key, one in training_input.training_set.columns.items()}
    matrix = altered.catalogue.design_matrix(columns, training_input.parameters)
    assert not init_score("return_risk", matrix, names).any()
    full = CATALOGUE.design_matrix(columns, training_input.parameters)
    assert np.ptp(init_score("return_risk", full, CATALOGUE.model_inputs)) > 0
    assert altered.settings.tree_count("return_risk") == RECIPE.settings.trees
    assert len(altered.catalogue.monotone("return_risk")) == len(names) == matrix.shape[1]
    pairs = zip(names, CATALOGUE.model_inputs, strict=False)
    assert sum(one != other for one, other in pairs) == 1


def test_a_training_without_the_formula_runs() -> None:
    trained = BY_NAME["start from a formula"].retrain(_returned_rows(), RECIPE, ignore_progress)
    estimate = forecast_latest(trained, "return_risk")[PRODUCT].estimate
    assert np.ptp(estimate) > 0


def test_other_switches_change_the_recipe() -> None:
    catalogue = _altered(BY_NAME["monotone constraints"]).catalogue
    assert not any(catalogue.monotone("sell_through"))
    assert any(CATALOGUE.monotone("sell_through"))
    assert catalogue.fingerprint == CATALOGUE.fingerprint
    assert _altered(BY_NAME["sharpness: 1"]).settings.sharpness == 1
    one_origin = _altered(BY_NAME["forward validation: one origin"]).settings
    assert one_origin.calibration_days == RECIPE.settings.latest_days
    assert _altered(BY_NAME["several boosters"]).settings.boosters == 1
    assert _altered(BY_NAME["seasonal calendar"]).settings.seasonal_uplifts == ()


def test_a_switch_without_effect_is_not_trained() -> None:
    assert not BY_NAME["several boosters"].changes(_trained())
    assert BY_NAME["family demand"].changes(_trained())


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ([[1.0, 2.0], [1.0, 2.0]], False),
        ([[1.0, 2.0], [1.0, 3.0]], True),
        ([[1.0, 2.0], [1.0, math.nan]], True),
        ([[math.nan, 2.0], [math.nan, 2.0]], False),
    ],
)
def test_inputs_that_are_equal_or_unknown_in_all_rows_are_no_mechanism(
    inputs: list[list[float]], *, expected: bool
) -> None:
    assert varies(np.array(inputs)) is expected


def test_boosters_without_copies_are_those_of_the_rows_that_were_read() -> None:
    output = _trained().output
    requests = booster_requests(output.training_input, output.splits)
    training_set = output.training_input.training_set
    originals = {}
    for name, request in requests.items():
        is_original = has_full_history(training_set, request.sample.rows)
        assert not is_original.all()
        originals[name] = replace(request, sample=request.sample.select(is_original))
    without = fit_without_copies(output.training_input, requests)
    assert without == fit_locally(output.training_input, originals)


def test_a_model_that_is_not_refitted_is_that_of_the_last_origin() -> None:
    output = _trained().output
    requests = booster_requests(output.training_input, output.splits)
    last = output.splits[SELLING].folds[-1].learned
    request = replace(requests[SELLING], sample=last)
    found = fit_on_last_origin(output.training_input, requests)
    expected = fit_locally(output.training_input, requests | {SELLING: request})
    assert last.rows.size < requests[SELLING].sample.rows.size
    assert found[SELLING] == expected[SELLING]
    assert {name: found[name] for name in requests if name not in TARGETS} == {
        name: expected[name] for name in requests if name not in TARGETS
    }


def test_the_product_is_judged_as_it_judges_itself() -> None:
    trained = _trained()
    forecasts = forecast_latest(trained, "sell_through")
    slices = trained.slices("sell_through")
    judged = JudgedRows(slices.latest, slices.latest_masked, trained.products)
    scores = _round(judged, forecasts).scores
    own = trained.output.evaluations["sell_through"].overall
    for name, predictor in ((PRODUCT, "model"), ("shrinkage", "shrinkage")):
        assert scores[name].log_loss == own[predictor].log_loss
        assert scores[name].coverage == own[predictor].coverage
        assert scores[name].width == own[predictor].width
        assert scores[name].calibration_error == own[predictor].calibration_error


def test_demand_without_a_line_is_that_of_the_trees() -> None:
    trained = _trained()
    remodel = BY_NAME["calibration line and chance"].remodel
    assert remodel is not None
    before = trained.model(SELLING)
    after = remodel(trained, SELLING)
    assert isinstance(before, DemandModel)
    assert isinstance(after, DemandModel)
    start = booster_requests(trained.output.training_input, trained.output.splits)[SELLING].start
    assert (after.curve.shift, after.curve.stretch) == (start, 1.0)
    assert after.curve.sharpness == before.curve.sharpness
    assert after.tails.cells[ROOT].count == before.tails.cells[ROOT].count
    assert after.tails.cells[ROOT].quantile(0.5) != before.tails.cells[ROOT].quantile(0.5)


def test_another_curve_of_return_risk_is_fitted_as_its_own_and_judged_with_its_residuals() -> None:
    trained = _trained_with_returns()
    before = forecast_latest(trained, "return_risk")[PRODUCT]
    own = refit_curve(share_curve)(trained, "return_risk")
    found = forecast_latest(trained, "return_risk", own)[PRODUCT]
    np.testing.assert_array_equal(found.estimate, before.estimate)
    np.testing.assert_array_equal(found.low, before.low)
    others = [one for one in MECHANISMS if one.targets == ("return_risk",) and one.remodel]
    assert {one.name for one in others} == {
        "any curve",
        "a logistic curve: isotonic",
        "weights of origins",
    }
    for other in others:
        assert other.remodel is not None
        model = other.remodel(trained, "return_risk")
        found = forecast_latest(trained, "return_risk", model)[PRODUCT]
        assert not np.array_equal(found.estimate, before.estimate)


def test_merged_cells_leave_one_cell_and_the_estimates() -> None:
    trained = _with_two_cells(_trained())
    remodel = BY_NAME["Mondrian cells"].remodel
    assert remodel is not None
    assert len(trained.model(SELLING).residuals.cells) == 2
    merged = remodel(trained, SELLING)
    assert set(merged.residuals.cells) == {ROOT}
    before, after = (forecast_latest(trained, SELLING, model)[PRODUCT] for model in (None, merged))
    np.testing.assert_array_equal(after.estimate, before.estimate)
    assert np.any(after.low != before.low)


def _with_two_cells(trained: TrainedProduct) -> TrainedProduct:
    """Return the training with a cell of its own, of wider residuals, for listings with orders."""
    model = trained.model(SELLING)
    assert isinstance(model, DemandModel)
    whole = model.residuals.cells[ROOT]
    wider = whole.values**0.25  # noqa: PD011 - residuals, not a frame
    cells = {ROOT: whole, (OwnEvidence.MUCH.value,): CellResiduals(wider, whole.count)}
    fitted = replace(trained.output.fitted[SELLING], model=replace(model, tails=DemandTails(cells)))
    contents = trained.output.contents
    models = replace(contents.models, targets={SELLING: fitted.model})
    output = replace(
        trained.output, contents=replace(contents, models=models), fitted={SELLING: fitted}
    )
    return replace(trained, output=output)


@dataclass(frozen=True)
class _ReadyTask(Task):
    """A task whose rows and tables need no directory."""

    def load_rows(self, work: Path, progress: ProgressCallback) -> PreparedRows:
        progress(f"rows in {work}")
        path, rows = work / "rows.parquet", _rows()
        pq.write_table(rows, path)
        report = ValidationReport(source="made up", tables=(), absent=())
        tables = ValidatedTables(work, HORIZONS)
        return PreparedRows(report, path, rows.num_rows, rows.schema.metadata, tables, ())

    def load_tables(self, work: Path) -> dict[str, pd.DataFrame]:
        assert work.is_dir()
        return {}


def _run(tmp_path: Path, *rivals: Rival) -> RealBenchmarkResult:
    config = RealBenchmarkConfig(tmp_path, 1, ("sell_through", "return_risk"), rivals, CONTROLS[:1])
    task = _ReadyTask(Source("made up", tmp_path), RECIPE)
    return measure([task], config, ignore_progress)


def test_two_runs_print_the_same_numbers(tmp_path: Path) -> None:
    result = _run(tmp_path, Rival.OUR_INPUTS, Rival.MECHANISMS)
    (only,) = result.rounds
    assert names_in_all(result.rounds) == [
        *(PRODUCT, "shrinkage", "constant"),
        *(OUR_INPUTS, CONTROLS[0].contestant),
    ]
    assert only.judged_rows == _trained().slices("sell_through").latest.rows.size
    again = _run(tmp_path, Rival.OUR_INPUTS)
    (first,), (second,) = (as_document(one)["tasks"] for one in (result, again))
    for name, figures in second["contestants"].items():
        assert _drop_seconds(first["contestants"][name]) == _drop_seconds(figures)
    assert "NaN" not in json.dumps(as_document(result))


def _drop_seconds(value: object) -> object:
    if isinstance(value, dict):
        return {key: _drop_seconds(one) for key, one in value.items() if key != "seconds"}
    return [_drop_seconds(one) for one in value] if isinstance(value, list) else value


FIELDS = ("rows", "label", "weight")
LATEST = Sample(np.arange(4), np.array([0.0, 1.0, 0.5, 1.0]), np.array([1.0, 1.0, 2.0, 4.0]))
MASKED = Sample(np.array([4, 5]), np.array([0.0, 1.0]), np.ones(2))
PRODUCTS = EncodedColumn(np.array([0, 0, 1, 2, 1, 2]), ("a", "b", "c"))


def _forecast(estimate: FloatArray, masked: FloatArray | None = None) -> ContestantForecast:
    low, high = add_equal_intervals(estimate, np.array([0.1, -0.2, 0.3, -0.4]), coverage=0.6)
    return ContestantForecast(estimate, low, high, 1.0, masked)


def _round(
    judged: JudgedRows, forecasts: dict[str, ContestantForecast], *, target: Target = "sell_through"
) -> Round:
    return judge_round(
        judged, forecasts, task="t", seed=None, origin=0, target=target, learned_rows=9
    )


def _hand_round(rival: float) -> Round:
    half = np.full(4, 0.5)
    forecasts = {
        PRODUCT: _forecast(half, np.full(2, 0.5)),
        "rival": _forecast(np.full(4, rival)),
        "without x": _forecast(half, np.array([0.5, 0.25])),
    }
    return _round(JudgedRows(LATEST, MASKED, PRODUCTS), forecasts)


def test_scores_are_those_worked_out_by_hand() -> None:
    rounds = [_hand_round(0.25), _hand_round(0.75)]
    product = rounds[0].scores[PRODUCT]
    assert product.log_loss == pytest.approx(math.log(2))
    assert product.mean_absolute_error == pytest.approx((0.5 + 0.5 + 0 + 4 * 0.5) / 8)
    assert product.width == pytest.approx(0.6)  # the third of four distances is at rank 5 x 0.6
    assert product.coverage == pytest.approx(0.25)
    assert math.isnan(product.rank_correlation)
    weights, labels = LATEST.weight, LATEST.label
    losses = [
        float((weights * -(labels * math.log(p) + (1 - labels) * math.log1p(-p))).sum() / 8)
        for p in (0.25, 0.75)
    ]
    assert mean_scores(rounds, "rival").log_loss == pytest.approx(fmean(losses))
    excess = pool_excess(rounds, "rival", masked=False)
    assert excess is not None
    assert excess.mean == pytest.approx(fmean(losses) - math.log(2))
    assert pool_excess(rounds, "rival", masked=True) is None


def test_rounds_in_which_a_mechanism_does_nothing_count_for_nothing() -> None:
    rounds = [_hand_round(0.25)]
    assert pool_excess(rounds, "without x", masked=False) is None
    excess = pool_excess(rounds, "without x", masked=True)
    assert excess is not None
    assert excess.mean == pytest.approx((math.log(4) - math.log(2)) / 2)
    assert count_products(rounds, "without x", masked=True) == 2
    assert count_products(rounds, "without x", masked=False) == 0


def test_a_few_products_give_no_verdict() -> None:
    few = Mechanism("x")
    excess, verdict = judge_mechanism(few, [_hand_round(0.25)], masked=True)
    assert excess is not None
    assert verdict == TOO_FEW


@pytest.mark.parametrize(
    ("excess", "luck", "verdict"),
    [
        ((0.02, 0.01, 0.03), [(0.001, -0.002, 0.003)], EARNS),
        ((-0.02, -0.03, -0.01), [], HARMS),
        ((0.02, -0.01, 0.03), [], UNCLEAR),
        ((0.02, 0.01, 0.03), [(0.001, -0.002, 0.003), (0.001, -0.021, 0.003)], UNCLEAR),
        ((-0.02, -0.03, -0.01), [(0.001, -0.002, 0.021)], UNCLEAR),
    ],
)
def test_a_verdict_needs_more_than_luck(
    excess: tuple[float, float, float], luck: list[tuple[float, float, float]], verdict: str
) -> None:
    others = [BootstrapInterval(*one) for one in luck]
    assert judge_without(BootstrapInterval(*excess), others) == verdict


def test_rank_correlation_is_spearmans() -> None:
    first, second = np.array([0.1, 0.4, 0.4, 0.9]), np.array([1.0, 3.0, 2.0, 4.0])
    assert rank_correlation(first, second) == pytest.approx(
        pd.Series(first).corr(pd.Series(second), method="spearman")
    )


@pytest.mark.parametrize(("suffix", "days"), [("", 28), ("=own.toml", 14)])
def test_a_data_set_may_have_settings(
    suffix: str, days: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.toml").write_text("[horizons]\nhorizon_days = 14\n", encoding="utf-8")
    task = data_task(f"a=shop{suffix}", tmp_path, ignore_progress)
    assert task.source == Source("a=shop", Path("a=shop"))
    assert task.recipe.horizons.horizon_days == days


def test_text_becomes_categories_and_numbers_stay() -> None:
    table = pd.DataFrame({"market": pd.Series(["US", None, "DE"], dtype="str"), "price": [1, 2, 3]})
    encoded = encode_categories(table)
    assert list(encoded.dtypes.astype("str")) == ["category", "int64"]
    assert encoded["market"].isna().sum() == 1


@pytest.mark.skipif(not has_catboost(), reason="catboost (extra bench) isn't installed")
def test_catboost_takes_missing_and_new_categories() -> None:
    rng = np.random.default_rng(0)
    text = pd.Series(rng.choice(["US", "DE"], 90), dtype="str")
    text[5:20], text[75:] = None, "FR"
    table = pd.DataFrame({"market": text, "price": rng.random(90)})
    label = rng.random(90)
    parts = [Sample(rows, label[rows], np.ones(rows.size)) for rows in np.split(np.arange(90), 6)]
    known = Sample(*(np.concatenate([getattr(one, name) for one in parts[:5]]) for name in FIELDS))
    slices = Slices(parts[0], known, parts[1], parts[2], parts[5], NO_ROWS)
    forecast, again = (run_plain(fit_catboost, table, slices, coverage=0.8) for _ in range(2))
    assert ((forecast.estimate > 0) & (forecast.estimate < 1)).all()
    np.testing.assert_array_equal(forecast.estimate, again.estimate)


def test_a_comparison_on_nothing_is_refused() -> None:
    outcome = CliRunner().invoke(app, ["bench", "real", "--seeds", "0", "--journey", "0"])
    assert isinstance(outcome.exception, NoSourcesError)


def test_altered_catalogues_differ_from_the_catalogue() -> None:
    same = AlteredCatalogue(CATALOGUE.request_fields, CATALOGUE.features)
    assert same.model_inputs == CATALOGUE.model_inputs
    assert same != CATALOGUE
