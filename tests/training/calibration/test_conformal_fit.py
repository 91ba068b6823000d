from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import TARGETS, Target
from features.runtime.arrays import FloatArray
from serving.conformal.cells import share_exposure
from serving.conformal.intervals import fit_residuals
from serving.prediction.target_model import TargetModel, raw_share
from training.calibration.choose import (
    CURVES,
    CURVES_WITH_IDENTITY,
    CurveFitter,
    assign_folds,
    choose_curve,
)
from training.calibration.conformal_fit import (
    default_curves,
    fit_curve,
    forecast_from_raw,
    forecast_with_model,
    learn_finish,
    model_curves,
)
from training.calibration.curves import fit_isotonic
from training.calibration.difficulty import fit_difficulty
from training.calibration.interval_context import build_interval_context
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.evaluation.baselines import BASELINES, raw_predictions
from training.evaluation.evaluate import judge
from training.fit.fit_targets import fit_targets
from training.metrics.metrics import Forecast

ASKED = {"coverage": 0.8, "threshold": 0.3}


@pytest.fixture(scope="module")
def models(
    training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> dict[Target, TargetModel]:
    return fit_targets(training_input, splits)


def _columns(forecast: Forecast) -> list[list[float]]:
    return [one.tolist() for one in vars(forecast).values()]


@pytest.mark.parametrize("target", TARGETS)
def test_finish_learns_curve_and_residuals_from_separate_halves(
    target: Target, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    split, training_set = splits[target], training_input.training_set
    context = training_set.context(training_set.columns["units_offered"])
    raw = np.random.default_rng(0).uniform(size=len(training_input.matrix))
    curves = default_curves(target)
    finish = learn_finish(raw, context, split, keys=training_set.keys, curves=curves)
    curve_fit, residual_fit = split.curve_fit, split.residual_fit
    shown = raw[curve_fit.rows], curve_fit.label, curve_fit.weight
    products = training_set.keys["product_id"]
    folds, codes = assign_folds(products)[curve_fit.rows], products.codes[curve_fit.rows]
    if target == "return_risk":
        knots = choose_curve(CURVES, shown, folds=folds, products=codes)
    else:
        knots = fit_isotonic(*shown)
    difficulty = fit_difficulty(
        knots.apply(raw[curve_fit.rows]), curve_fit.label, context.exposure[curve_fit.rows]
    )
    residuals = fit_residuals(
        knots.apply(raw[residual_fit.rows]),
        residual_fit.label,
        context.select(residual_fit.rows),
        difficulty=difficulty,
        listings=training_set.listings[residual_fit.rows],
    )
    assert finish.residuals.difficulty.sizes.tolist() == difficulty.sizes.tolist()
    assert finish.residuals.difficulty.factors.tolist() == difficulty.factors.tolist()
    assert finish.knots.y.tolist() == knots.y.tolist()
    for cell, expected in residuals.cells.items():
        assert finish.residuals.cells[cell].values.tolist() == expected.values.tolist()


def test_finish_reads_no_row_outside_the_calibration_slice(
    training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    split = splits["sell_through"]
    raw = np.full(len(training_input.matrix), np.nan)
    rows = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    raw[rows] = np.linspace(0, 1, rows.size)
    context = build_interval_context(training_input, split, {})
    keys = training_input.training_set.keys
    curves = default_curves("sell_through")
    finish = learn_finish(raw, context, split, keys=keys, curves=curves)
    assert np.isfinite(finish.knots.apply(np.array([0.5]))).all()


@pytest.mark.parametrize("target", TARGETS)
def test_forecasts_of_a_model_are_those_of_its_raw_predictions_finished(
    target: Target,
    models: dict[Target, TargetModel],
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
) -> None:
    rows = splits[target].latest.rows
    context = build_interval_context(training_input, splits[target], models)
    model = models[target]
    raw: FloatArray = model.predict_raw(training_input.matrix)
    keys, split = training_input.training_set.keys, splits[target]
    curves = model_curves(target, CATALOGUE.model_inputs)
    finish = learn_finish(raw, context, split, keys=keys, curves=curves)
    served = forecast_with_model(model, training_input.matrix[rows], context.select(rows), **ASKED)
    finished = forecast_from_raw(raw[rows], finish, context.select(rows), **ASKED)
    assert _columns(served) == _columns(finished)


@pytest.mark.parametrize(
    ("target", "names", "of_model", "of_others"),
    [
        ("sell_through", CATALOGUE.model_inputs, (fit_isotonic,), (fit_isotonic,)),
        ("return_risk", CATALOGUE.model_inputs, CURVES_WITH_IDENTITY, CURVES),
        ("return_risk", ("return_rate_180d",), CURVES, CURVES),
    ],
)
def test_only_trees_that_start_from_the_formula_may_go_without_a_curve(
    target: Target,
    names: tuple[str, ...],
    of_model: tuple[CurveFitter, ...],
    of_others: tuple[CurveFitter, ...],
) -> None:
    assert model_curves(target, names) == of_model
    assert default_curves(target) == of_others


def test_model_of_return_risk_is_curved_by_its_own_rule_and_baselines_by_theirs(
    models: dict[Target, TargetModel],
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
) -> None:
    model, split = models["return_risk"], splits["return_risk"]
    products = training_input.training_set.keys["product_id"]
    raw = model.predict_raw(training_input.matrix)
    bare = fit_curve(raw, split, products, CURVES_WITH_IDENTITY)
    curved = fit_curve(raw, split, products, CURVES)
    assert bare.y.tolist() != curved.y.tolist()
    assert model.calibration.y.tolist() == bare.y.tolist()
    context = build_interval_context(training_input, split, models)
    baselines = raw_predictions(training_input.training_set, split, training_input.parameters)
    judged = judge(models, training_input, split)
    for name in BASELINES:
        finish = learn_finish(
            baselines[name], context, split, keys=training_input.training_set.keys, curves=CURVES
        )
        expected = finish.knots.apply(baselines[name][judged.rows.rows])
        assert judged.forecasts[name].estimate.tolist() == expected.tolist()


@pytest.mark.parametrize("target", TARGETS)
def test_forecasts_lie_within_their_intervals_and_within_a_share(
    target: Target,
    models: dict[Target, TargetModel],
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
) -> None:
    rows = splits[target].latest.rows
    context = build_interval_context(training_input, splits[target], models)
    forecast = forecast_with_model(
        models[target], training_input.matrix[rows], context.select(rows), **ASKED
    )
    for lower, upper in (
        (np.zeros(rows.size), forecast.low),
        (forecast.low, forecast.estimate),
        (forecast.estimate, forecast.high),
        (forecast.high, np.ones(rows.size)),
    ):
        assert (lower <= upper).all()


def test_forecasts_of_a_mask_are_those_of_its_rows() -> None:
    forecast = Forecast(*(np.arange(4.0) + place for place in range(4)))
    picked = forecast.select(np.array([True, False, False, True]))
    assert _columns(picked) == [[place, place + 3.0] for place in range(4)]


def test_units_of_return_risk_are_in_calibration_as_many_as_came(
    models: dict[Target, TargetModel],
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
) -> None:
    shaping_half = splits["return_risk"].curve_fit
    busy = replace(shaping_half, weight=3 * shaping_half.weight)
    split = replace(splits["return_risk"], curve_fit=busy)
    exposure = build_interval_context(training_input, split, models).exposure
    rows = np.concatenate([split.curve_fit.rows, split.residual_fit.rows, split.latest.rows])
    offered = training_input.training_set.columns["units_offered"][rows]
    seller, inputs = models["sell_through"], training_input.matrix[rows]
    halves = split.curve_fit.rows.size, split.residual_fit.rows.size
    is_calibration = np.arange(rows.size) < sum(halves)
    own_words = raw_share(seller.target, seller.boosters, inputs)
    sold = np.where(is_calibration, own_words, seller.predict(inputs))
    expected = share_exposure("return_risk", offered, sold)
    curve_fit, conformal, latest = np.split(expected, np.cumsum(halves))
    factor = split.curve_fit.weight.sum() / curve_fit.sum()
    assert exposure[split.curve_fit.rows] == pytest.approx(np.fmax(curve_fit * factor, 1))
    assert exposure[split.residual_fit.rows] == pytest.approx(np.fmax(conformal * factor, 1))
    assert exposure[split.latest.rows] == pytest.approx(latest)
    assert factor > 2
