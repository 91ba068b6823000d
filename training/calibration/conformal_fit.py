"""Forecasts: an estimate with its interval and probability, for models and baselines alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.conformal.calibration_sample import CalibrationSample, subsample
from serving.conformal.cells import IntervalContext
from serving.conformal.intervals import ConformalResiduals, fit_residuals
from serving.prediction.calibration import CalibrationCurve
from serving.prediction.init_score import INIT_COLUMNS, init_column
from serving.prediction.target_model import TargetModel
from training.calibration.choose import (
    CURVES,
    CURVES_WITH_IDENTITY,
    CurveFitter,
    assign_folds,
    choose_curve,
)
from training.calibration.curves import fit_isotonic
from training.calibration.difficulty import fit_difficulty
from training.data.time_split import TargetSplit
from training.data.training_set import EncodedColumn
from training.metrics.metrics import Forecast


@dataclass(frozen=True)
class Finish:
    """What turns raw predictions into forecasts."""

    knots: CalibrationCurve
    residuals: ConformalResiduals
    calibration_sample: CalibrationSample


def learn_finish(
    raw: FloatArray,
    context: IntervalContext,
    split: TargetSplit,
    *,
    keys: Mapping[str, EncodedColumn],
    curves: Sequence[CurveFitter],
) -> Finish:
    """Learn calibration and residuals, each from its half of the calibration slice.

    `raw`, `context` and `keys` hold a raw prediction, what its interval rests on and which
    listing and product it is for, for each row of the training set; only the calibration slice's
    are read. Of `curves` one is chosen.
    What residuals are measured in is learned with the curve, from rows that give no residuals.
    Residuals count each row once, whatever its weight: an interval is a promise about one answer.
    Learning them from both halves, each around the other's curve, would double them, but neither
    curve is the one that serves: on Online Retail intervals of return risk were 1.4 times as wide
    then, and held 46 % in one large cell.
    """
    curve_fit, residual_fit = split.curve_fit, split.residual_fit
    listings = keys["listing_id"].codes[residual_fit.rows]
    knots = fit_curve(raw, split, keys["product_id"], curves)
    shaped = knots.apply(raw[curve_fit.rows])
    difficulty = fit_difficulty(shaped, curve_fit.label, context.exposure[curve_fit.rows])
    estimate = knots.apply(raw[residual_fit.rows])
    calibrated = context.select(residual_fit.rows)
    residuals = fit_residuals(
        estimate, residual_fit.label, calibrated, difficulty=difficulty, listings=listings
    )
    calibration_sample = subsample(
        estimate, residual_fit.label, calibrated.evidence, listings=listings
    )
    return Finish(knots, residuals, calibration_sample)


def fit_curve(
    raw: FloatArray, split: TargetSplit, products: EncodedColumn, curves: Sequence[CurveFitter]
) -> CalibrationCurve:
    """Learn the calibration curve of a target from its shaping half; arguments as above."""
    curve_fit = split.curve_fit
    return choose_curve(
        curves,
        (raw[curve_fit.rows], curve_fit.label, curve_fit.weight),
        folds=assign_folds(products)[curve_fit.rows],
        products=products.codes[curve_fit.rows],
    )


def model_curves(target: Target, names: Sequence[str]) -> Sequence[CurveFitter]:
    """Return the curves that a target's model may get whose inputs have these names.

    Trees that start from the mean need a curve that can follow anything, and its ties make lists a
    little more careful (serving/scoring/selection.py); those that start from a formula may need
    none.
    """
    if init_column(target, names) is None:
        return default_curves(target)
    return CURVES_WITH_IDENTITY


def default_curves(target: Target) -> Sequence[CurveFitter]:
    """Return the curves that predictions of a target may get which start from no formula."""
    return CURVES if target in INIT_COLUMNS else (fit_isotonic,)


def forecast_with_model(
    model: TargetModel,
    matrix: FloatArray,
    context: IntervalContext,
    *,
    coverage: float,
    threshold: float,
) -> Forecast:
    """Forecast with the code that serves."""
    estimate = model.predict(matrix)
    low, high = model.interval(estimate, context, coverage=coverage)
    return Forecast(
        estimate, low, high, model.prob_at_least(estimate, context, threshold=threshold)
    )


def forecast_from_raw(
    raw: FloatArray, finish: Finish, context: IntervalContext, *, coverage: float, threshold: float
) -> Forecast:
    """Forecast from a baseline's raw predictions, finished as the model's are."""
    estimate = finish.knots.apply(raw)
    low, high = finish.residuals.interval(estimate, context, coverage=coverage)
    probability = finish.residuals.prob_at_least(estimate, context, threshold=threshold)
    return Forecast(estimate, low, high, probability)
