from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import TARGETS, Target
from features.runtime.arrays import FloatArray
from serving.conformal.cells import share_units
from serving.conformal.intervals import learn_residuals
from serving.prediction.target_model import TargetModel, raw_share
from training.calibration.choose import CURVES, CURVES_OF_FITTED, Fit, choose_knots, folds_of
from training.calibration.conformal_fit import (
    curve,
    curves_of_model,
    curves_of_others,
    forecast_of_model,
    forecast_of_raw,
    learn_finish,
)
from training.calibration.curves import fit_knots
from training.calibration.difficulty import learn_spread
from training.calibration.interval_context import footing_of
from training.data.time_split import Division
from training.data.training_input import Material
from training.evaluation.baselines import BASELINES, raw_predictions
from training.evaluation.evaluate import judge
from training.fit.fit_targets import fit_targets
from training.metrics.metrics import Forecast

ASKED = {"level": 0.8, "threshold": 0.3}


@pytest.fixture(scope="module")
def models(material: Material, divisions: dict[Target, Division]) -> dict[Target, TargetModel]:
    return fit_targets(material, divisions)


def _columns(forecast: Forecast) -> list[list[float]]:
    return [one.tolist() for one in vars(forecast).values()]


@pytest.mark.parametrize("target", TARGETS)
def test_finish_learns_curve_and_residuals_from_separate_halves(
    target: Target, material: Material, divisions: dict[Target, Division]
) -> None:
    division, training_set = divisions[target], material.training_set
    footing = training_set.footing(training_set.columns["units_offered"])
    raw = np.random.default_rng(0).uniform(size=len(material.matrix))
    curves = curves_of_others(target)
    finish = learn_finish(raw, footing, division, keys=training_set.keys, curves=curves)
    shaping, conformal = division.shaping, division.conformal
    shown = raw[shaping.rows], shaping.label, shaping.weight
    products = training_set.keys["product_id"]
    folds, codes = folds_of(products)[shaping.rows], products.codes[shaping.rows]
    if target == "return_risk":
        knots = choose_knots(CURVES, shown, folds=folds, products=codes)
    else:
        knots = fit_knots(*shown)
    spread = learn_spread(
        knots.apply(raw[shaping.rows]), shaping.label, footing.units[shaping.rows]
    )
    residuals = learn_residuals(
        knots.apply(raw[conformal.rows]),
        conformal.label,
        footing.where(conformal.rows),
        spread=spread,
        listings=training_set.listings[conformal.rows],
    )
    assert finish.residuals.spread.sizes.tolist() == spread.sizes.tolist()
    assert finish.residuals.spread.factors.tolist() == spread.factors.tolist()
    assert finish.knots.y.tolist() == knots.y.tolist()
    for cell, expected in residuals.cells.items():
        assert finish.residuals.cells[cell].values.tolist() == expected.values.tolist()


def test_finish_reads_no_row_outside_the_calibration_slice(
    material: Material, divisions: dict[Target, Division]
) -> None:
    division = divisions["sell_through"]
    raw = np.full(len(material.matrix), np.nan)
    rows = np.concatenate([division.shaping.rows, division.conformal.rows])
    raw[rows] = np.linspace(0, 1, rows.size)
    footing = footing_of(material, division, {})
    keys = material.training_set.keys
    curves = curves_of_others("sell_through")
    finish = learn_finish(raw, footing, division, keys=keys, curves=curves)
    assert np.isfinite(finish.knots.apply(np.array([0.5]))).all()


@pytest.mark.parametrize("target", TARGETS)
def test_forecasts_of_a_model_are_those_of_its_raw_predictions_finished(
    target: Target,
    models: dict[Target, TargetModel],
    material: Material,
    divisions: dict[Target, Division],
) -> None:
    rows = divisions[target].latest.rows
    footing = footing_of(material, divisions[target], models)
    model = models[target]
    raw: FloatArray = model.predict_raw(material.matrix)
    keys, division = material.training_set.keys, divisions[target]
    curves = curves_of_model(target, CATALOGUE.model_inputs)
    finish = learn_finish(raw, footing, division, keys=keys, curves=curves)
    served = forecast_of_model(model, material.matrix[rows], footing.where(rows), **ASKED)
    finished = forecast_of_raw(raw[rows], finish, footing.where(rows), **ASKED)
    assert _columns(served) == _columns(finished)


@pytest.mark.parametrize(
    ("target", "names", "of_model", "of_others"),
    [
        ("sell_through", CATALOGUE.model_inputs, (fit_knots,), (fit_knots,)),
        ("return_risk", CATALOGUE.model_inputs, CURVES_OF_FITTED, CURVES),
        ("return_risk", ("return_rate_180d",), CURVES, CURVES),
    ],
)
def test_only_trees_that_start_from_the_formula_may_go_without_a_curve(
    target: Target,
    names: tuple[str, ...],
    of_model: tuple[Fit, ...],
    of_others: tuple[Fit, ...],
) -> None:
    assert curves_of_model(target, names) == of_model
    assert curves_of_others(target) == of_others


def test_model_of_return_risk_is_curved_by_its_own_rule_and_baselines_by_theirs(
    models: dict[Target, TargetModel], material: Material, divisions: dict[Target, Division]
) -> None:
    model, division = models["return_risk"], divisions["return_risk"]
    products = material.training_set.keys["product_id"]
    raw = model.predict_raw(material.matrix)
    bare = curve(raw, division, products, CURVES_OF_FITTED)
    curved = curve(raw, division, products, CURVES)
    assert bare.y.tolist() != curved.y.tolist()
    assert model.calibration.y.tolist() == bare.y.tolist()
    footing = footing_of(material, division, models)
    baselines = raw_predictions(material.training_set, division, material.parameters)
    judged = judge(models, material, division)
    for name in BASELINES:
        finish = learn_finish(
            baselines[name], footing, division, keys=material.training_set.keys, curves=CURVES
        )
        expected = finish.knots.apply(baselines[name][judged.rows.rows])
        assert judged.forecasts[name].estimate.tolist() == expected.tolist()


@pytest.mark.parametrize("target", TARGETS)
def test_forecasts_lie_within_their_intervals_and_within_a_share(
    target: Target,
    models: dict[Target, TargetModel],
    material: Material,
    divisions: dict[Target, Division],
) -> None:
    rows = divisions[target].latest.rows
    footing = footing_of(material, divisions[target], models)
    forecast = forecast_of_model(
        models[target], material.matrix[rows], footing.where(rows), **ASKED
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
    picked = forecast.where(np.array([True, False, False, True]))
    assert _columns(picked) == [[place, place + 3.0] for place in range(4)]


def test_units_of_return_risk_are_in_calibration_as_many_as_came(
    models: dict[Target, TargetModel], material: Material, divisions: dict[Target, Division]
) -> None:
    shaping_half = divisions["return_risk"].shaping
    busy = replace(shaping_half, weight=3 * shaping_half.weight)
    division = replace(divisions["return_risk"], shaping=busy)
    units = footing_of(material, division, models).units
    rows = np.concatenate([division.shaping.rows, division.conformal.rows, division.latest.rows])
    offered = material.training_set.columns["units_offered"][rows]
    seller, inputs = models["sell_through"], material.matrix[rows]
    halves = division.shaping.rows.size, division.conformal.rows.size
    is_calibration = np.arange(rows.size) < sum(halves)
    own_words = raw_share(seller.target, seller.boosters, inputs)
    sold = np.where(is_calibration, own_words, seller.predict(inputs))
    expected = share_units("return_risk", offered, sold)
    shaping, conformal, latest = np.split(expected, np.cumsum(halves))
    factor = division.shaping.weight.sum() / shaping.sum()
    assert units[division.shaping.rows] == pytest.approx(np.fmax(shaping * factor, 1))
    assert units[division.conformal.rows] == pytest.approx(np.fmax(conformal * factor, 1))
    assert units[division.latest.rows] == pytest.approx(latest)
    assert factor > 2
