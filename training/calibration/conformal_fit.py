"""Forecasts: an estimate with its interval and probability, for models and baselines alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.conformal.calibration_sample import Past, keep_past
from serving.conformal.cells import Footing
from serving.conformal.intervals import ConformalResiduals, learn_residuals
from serving.prediction.calibration import Knots
from serving.prediction.init_score import STARTS, place_of_start
from serving.prediction.target_model import TargetModel
from training.calibration.choose import CURVES, CURVES_OF_FITTED, Fit, choose_knots, folds_of
from training.calibration.curves import fit_knots
from training.calibration.difficulty import learn_spread
from training.data.time_split import Division
from training.data.training_set import Coded
from training.metrics.metrics import Forecast


@dataclass(frozen=True)
class Finish:
    """What turns raw predictions into forecasts."""

    knots: Knots
    residuals: ConformalResiduals
    past: Past


def learn_finish(
    raw: FloatArray,
    footing: Footing,
    division: Division,
    *,
    keys: Mapping[str, Coded],
    curves: Sequence[Fit],
) -> Finish:
    """Learn calibration and residuals, each from its half of the calibration slice.

    `raw`, `footing` and `keys` hold a raw prediction, what its interval rests on and which
    listing and product it is for, for each row of the training set; only the calibration slice's
    are read. Of `curves` one is chosen.
    What residuals are measured in is learned with the curve, from rows that give no residuals.
    Residuals count each row once, whatever its weight: an interval is a promise about one answer.
    Learning them from both halves, each around the other's curve, would double them, but neither
    curve is the one that serves: on Online Retail intervals of return risk were 1.4 times as wide
    then, and held 46 % in one large cell.
    """
    shaping, conformal = division.shaping, division.conformal
    listings = keys["listing_id"].codes[conformal.rows]
    knots = curve(raw, division, keys["product_id"], curves)
    shaped = knots.apply(raw[shaping.rows])
    spread = learn_spread(shaped, shaping.label, footing.units[shaping.rows])
    estimate = knots.apply(raw[conformal.rows])
    calibrated = footing.where(conformal.rows)
    residuals = learn_residuals(
        estimate, conformal.label, calibrated, spread=spread, listings=listings
    )
    past = keep_past(estimate, conformal.label, calibrated.evidence, listings=listings)
    return Finish(knots, residuals, past)


def curve(raw: FloatArray, division: Division, products: Coded, curves: Sequence[Fit]) -> Knots:
    """Learn the calibration curve of a target from its shaping half; arguments as above."""
    shaping = division.shaping
    return choose_knots(
        curves,
        (raw[shaping.rows], shaping.label, shaping.weight),
        folds=folds_of(products)[shaping.rows],
        products=products.codes[shaping.rows],
    )


def curves_of_model(target: Target, names: Sequence[str]) -> Sequence[Fit]:
    """Return the curves that a target's model may get whose inputs have these names.

    Trees that start from the mean need a curve that can follow anything, and its ties make lists a
    little more careful (serving/scoring/selection.py); those that start from a formula may need
    none.
    """
    if place_of_start(target, names) is None:
        return curves_of_others(target)
    return CURVES_OF_FITTED


def curves_of_others(target: Target) -> Sequence[Fit]:
    """Return the curves that predictions of a target may get which start from no formula."""
    return CURVES if target in STARTS else (fit_knots,)


def forecast_of_model(
    model: TargetModel, matrix: FloatArray, footing: Footing, *, level: float, threshold: float
) -> Forecast:
    """Forecast with the code that serves."""
    estimate = model.predict(matrix)
    low, high = model.interval(estimate, footing, level=level)
    return Forecast(
        estimate, low, high, model.prob_at_least(estimate, footing, threshold=threshold)
    )


def forecast_of_raw(
    raw: FloatArray, finish: Finish, footing: Footing, *, level: float, threshold: float
) -> Forecast:
    """Forecast from a baseline's raw predictions, finished as the model's are."""
    estimate = finish.knots.apply(raw)
    low, high = finish.residuals.interval(estimate, footing, level=level)
    probability = finish.residuals.prob_at_least(estimate, footing, threshold=threshold)
    return Forecast(estimate, low, high, probability)
