from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import TARGETS, Target
from serving.conformal.cells import expected_orders
from serving.demand.lot_demand import share_of_margin
from serving.prediction.calibration import CalibrationCurve
from serving.prediction.init_score import init_score
from serving.prediction.target_model import ShareModel
from training.calibration.conformal_calibrator import calibrate_target
from training.calibration.curves import fit_isotonic, fit_logistic
from training.calibration.difficulty import fit_difficulty
from training.calibration.fitted_target import FittedTarget
from training.calibration.interval_context import Sellers, build_target_context
from training.calibration.residuals import fit_residuals
from training.data.time_split import TargetSplit
from training.data.training_input import BoosterRequest, TrainingInput
from training.evaluation.baselines import BASELINES, forward_predictions, raw_predictions
from training.evaluation.judge import forecast, judge
from training.fit.fit_targets import fit_targets
from training.metrics.metrics import Forecast

REQUEST = {"coverage": 0.8, "threshold": 0.3}


@pytest.fixture(scope="module")
def fitted(
    training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> dict[Target, FittedTarget]:
    return fit_targets(training_input, splits)


def _columns(predicted: Forecast) -> list[list[float]]:
    return [column.tolist() for column in vars(predicted).values()]


@pytest.mark.parametrize("target", TARGETS)
def test_calibrator_fits_curve_and_residuals_on_separate_halves(
    target: Target, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    split, training_set = splits[target], training_input.training_set
    context = training_set.context(training_set.columns["units_offered"])
    raw = np.random.default_rng(0).uniform(size=training_input.training_set.rows.size)
    fit = fit_logistic if target == "return_risk" else fit_isotonic
    calibrator = calibrate_target(raw, context, split, keys=training_set.keys, fit_curve=fit)
    curve_fit, residual_fit = split.curve_fit, split.residual_fit
    curve = fit(raw[curve_fit.rows], curve_fit.label, curve_fit.weight)
    difficulty = fit_difficulty(
        curve.apply(raw[curve_fit.rows]), curve_fit.label, context.exposure[curve_fit.rows]
    )
    residuals = fit_residuals(
        curve.apply(raw[residual_fit.rows]),
        residual_fit.label,
        context.select(residual_fit.rows),
        difficulty=difficulty,
        listings=training_set.listings[residual_fit.rows],
    )
    assert calibrator.residuals.difficulty.sizes.tolist() == difficulty.sizes.tolist()
    assert calibrator.residuals.difficulty.factors.tolist() == difficulty.factors.tolist()
    assert calibrator.curve.y.tolist() == curve.y.tolist()
    for cell, expected in residuals.cells.items():
        assert calibrator.residuals.cells[cell].values.tolist() == expected.values.tolist()


def test_calibrator_reads_no_row_outside_the_calibration_slice(
    training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    split = splits["sell_through"]
    raw = np.full(training_input.training_set.rows.size, np.nan)
    rows = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    raw[rows] = np.linspace(0, 1, rows.size)
    context = build_target_context(training_input, split, None)
    keys = training_input.training_set.keys
    calibrator = calibrate_target(raw, context, split, keys=keys, fit_curve=fit_isotonic)
    assert np.isfinite(calibrator.curve.apply(np.array([0.5]))).all()


def _slope(curve: CalibrationCurve) -> float:
    """Return the slope of a logistic curve in log odds, which is the same everywhere."""
    low, high = curve.apply(np.array([0.1, 0.2]))
    odds = logit(np.array([low, high, 0.1, 0.2]))
    return float((odds[1] - odds[0]) / (odds[3] - odds[2]))


def test_slope_of_return_risk_hears_the_last_origin_most_and_all_else_all_alike(
    fitted: dict[Target, FittedTarget],
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
) -> None:
    one, split = fitted["return_risk"], splits["return_risk"]
    assert isinstance(one.model, ShareModel)
    training_set, learned = training_input.training_set, split.curve_fit
    days = training_set.as_of_day[learned.rows]
    last = [training_set.as_of_day[fold.predicted.rows].max() for fold in split.folds]
    assert len(last) > 1
    shares = np.array([10.0 ** -sum(day <= end for end in last[:-1]) for day in days])
    raw = one.raw[learned.rows]
    slope = _slope(fit_logistic(raw, learned.label, learned.weight * shares))
    assert _slope(one.model.calibration) == pytest.approx(slope, rel=1e-5)
    assert _slope(fit_logistic(raw, learned.label, learned.weight)) != pytest.approx(
        slope, rel=1e-3
    )
    estimate = one.model.calibration.apply(raw)
    mean = np.average(learned.label, weights=learned.weight)
    assert np.average(estimate, weights=learned.weight) == pytest.approx(mean, rel=1e-4)
    past = forward_predictions(training_input, split)
    now = raw_predictions(
        training_set, "return_risk", split.known, parameters=training_input.parameters
    )
    judged = judge(one, training_input, split)
    for name in BASELINES:
        curve = fit_logistic(past[name][learned.rows], learned.label, learned.weight)
        estimate = curve.apply(now[name][judged.rows.rows])
        assert judged.forecasts[name].estimate.tolist() == estimate.tolist()


@pytest.mark.parametrize("target", TARGETS)
def test_forecasts_lie_within_their_intervals_and_within_a_share(
    target: Target,
    fitted: dict[Target, FittedTarget],
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
) -> None:
    rows = splits[target].latest.rows
    matrix, demand = training_input.design_matrix(rows), training_input.demand[rows]
    outlook = fitted[target].model.predict(matrix, demand)
    predicted = forecast(outlook, fitted[target].context.select(rows), **REQUEST)
    for lower, upper in (
        (np.zeros(rows.size), predicted.low),
        (predicted.low, predicted.estimate),
        (predicted.estimate, predicted.high),
        (predicted.high, np.ones(rows.size)),
    ):
        assert (lower <= upper).all()


def test_forecasts_of_a_mask_are_those_of_its_rows() -> None:
    predicted = Forecast(*(np.arange(4.0) + number for number in range(4)))
    picked = predicted.select(np.array([True, False, False, True]))
    assert _columns(picked) == [[number, number + 3.0] for number in range(4)]


def test_units_of_return_risk_are_in_calibration_as_many_as_came(
    fitted: dict[Target, FittedTarget],
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
) -> None:
    outcome = training_input.training_set.outcomes["return_risk"]
    busy = replace(outcome, weight=3 * outcome.weight)
    busy_set = replace(training_input.training_set, outcomes={"return_risk": busy})
    training_input = replace(training_input, training_set=busy_set)
    split = splits["return_risk"]
    # Units that were ordered count in full, however little their rows may weigh.
    split = replace(split, curve_fit=split.curve_fit.limit_weight(1.0))
    seller = fitted["sell_through"].model
    request = BoosterRequest("sell_through", split.train, 1, 3.0, split.folds[0].first_day)
    sellers = Sellers(seller, seller.boosters[:1], request)
    exposure = build_target_context(training_input, split, sellers).exposure
    rows = np.concatenate([split.curve_fit.rows, split.residual_fit.rows, split.latest.rows])
    offered = training_input.training_set.columns["units_offered"][rows]
    inputs = training_input.design_matrix(rows)
    halves = split.curve_fit.rows.size, split.residual_fit.rows.size
    is_calibration = np.arange(rows.size) < sum(halves)
    early_inputs = training_input.at(request.origin).design_matrix(rows)
    margin = 3.0 + seller.boosters[0].sum_trees(early_inputs)
    margin = margin + init_score("sell_through", early_inputs, CATALOGUE.model_inputs)
    early = share_of_margin(margin, training_input.recipe.settings.sharpness)
    served = seller.predict(inputs, training_input.demand[rows]).share
    sold = np.where(is_calibration, early, served)
    expected = expected_orders(offered, sold)
    curve_fit, conformal, latest = np.split(expected, np.cumsum(halves))
    factor = busy.weight[split.curve_fit.rows].sum() / curve_fit.sum()
    assert exposure[split.curve_fit.rows] == pytest.approx(np.fmax(curve_fit * factor, 1))
    assert exposure[split.residual_fit.rows] == pytest.approx(np.fmax(conformal * factor, 1))
    assert exposure[split.latest.rows] == pytest.approx(latest)
    assert factor > 2
