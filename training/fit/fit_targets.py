"""Fit the models of all targets: boosters on known rows and at each origin, then calibration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.conformal.cells import IntervalContext
from serving.prediction.booster import Booster
from serving.prediction.init_score import LOT, ORDER_SIZE
from serving.prediction.target_model import (
    DemandModel,
    ShareModel,
    TargetModel,
    corrected_share,
    sum_of_trees,
)
from training.boosting.fit_boosters import BoosterFitter, fit_booster, fit_boosters
from training.calibration.choose import model_curves
from training.calibration.conformal_calibrator import calibrate_target
from training.calibration.demand_curve_fit import find_start, fit_demand_curve
from training.calibration.fitted_target import FittedTarget
from training.calibration.interval_context import build_target_context
from training.calibration.residuals import fit_tails, subsample
from training.data.time_split import TargetSplit
from training.data.training_input import (
    BoosterRequest,
    BoosterTexts,
    Fitter,
    TrainingInput,
)


def fit_locally(
    training_input: TrainingInput,
    requests: Mapping[str, BoosterRequest],
    *,
    fitter: BoosterFitter = fit_booster,
) -> BoosterTexts:
    """Fit the boosters of all requests on this machine.

    `fitter` fits one booster, or reads it from a checkpoint.
    """
    recipe = training_input.recipe
    return fit_boosters(
        training_input.design_matrix, requests, recipe.catalogue, recipe.settings, fitter=fitter
    )


def fit_targets(
    training_input: TrainingInput, splits: Mapping[Target, TargetSplit], fit: Fitter = fit_locally
) -> dict[Target, FittedTarget]:
    """Fit each target on all known rows, and calibrate it by forward validation.

    At each origin of the calibration slice, boosters of what was final by then predict the rows
    that follow, as far ahead as the model will predict.

    Raises:
        TrainingError: a slice can't support a model.
    """
    texts = fit(training_input, booster_requests(training_input, splits))
    models: dict[Target, TargetModel] = {}
    fitted: dict[Target, FittedTarget] = {}
    for target, split in splits.items():  # sell-through first: return risk needs its model
        context = build_target_context(training_input, split, models)
        boosters = tuple(Booster(text) for text in texts[target])
        raw = _predict_folds(training_input, split, texts)
        build = _demand_model if target == "sell_through" else _share_model
        models[target] = build(training_input, split, context, boosters, raw)
        forward = _calibrate(training_input, split, models[target], raw)
        fitted[target] = FittedTarget(models[target], context, raw, forward)
    return fitted


def booster_requests(
    training_input: TrainingInput, splits: Mapping[Target, TargetSplit]
) -> dict[str, BoosterRequest]:
    """Return the boosters to fit: of all known rows by target, and of each origin."""
    settings = training_input.recipe.settings
    requests: dict[str, BoosterRequest] = {}
    for target, split in splits.items():
        start = find_start(training_input, target, split.train)  # the same at each origin
        requests[target] = BoosterRequest(target, split.known, settings.boosters, start)
        for number, fold in enumerate(split.folds):
            requests[_fold_name(target, number)] = BoosterRequest(
                target, fold.learned, settings.fold_boosters, start
            )
    return requests


def _fold_name(target: Target, number: int) -> str:
    return f"{target}_origin{number}"


def _read_lots(training_input: TrainingInput, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    names = training_input.recipe.catalogue.model_inputs
    return matrix[:, names.index(LOT)], matrix[:, names.index(ORDER_SIZE)]


def _predict_folds(
    training_input: TrainingInput, split: TargetSplit, texts: BoosterTexts
) -> FloatArray:
    """Return raw predictions of the calibration rows, each by the boosters of its origin.

    The result has a value a row of the training set, NaN for other rows.
    """
    names = training_input.recipe.catalogue.model_inputs
    raw = np.full(training_input.training_set.rows.size, np.nan)
    for number, fold in enumerate(split.folds):
        boosters = tuple(Booster(text) for text in texts[_fold_name(split.target, number)])
        rows = fold.predicted.rows
        matrix = training_input.design_matrix(rows)
        sums = sum_of_trees(boosters, matrix)
        is_demand = split.target == "sell_through"
        raw[rows] = sums if is_demand else corrected_share(sums, matrix, names)
    return raw


def _calibrate(
    training_input: TrainingInput, split: TargetSplit, model: TargetModel, raw: FloatArray
) -> FloatArray:
    """Return the estimates for raw predictions of the calibration rows."""
    rows = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    estimate = np.full(raw.shape, np.nan)
    if isinstance(model, DemandModel):
        lot, order_size = _read_lots(training_input, training_input.design_matrix(rows))
        demand = model.curve.apply(raw[rows], lot, order_size, uplift=np.ones(rows.size))
        estimate[rows] = demand.share()
    elif isinstance(model, ShareModel):
        estimate[rows] = model.calibration.apply(raw[rows])
    return estimate


def _share_model(
    training_input: TrainingInput,
    split: TargetSplit,
    context: IntervalContext,
    boosters: tuple[Booster, ...],
    raw: FloatArray,
) -> ShareModel:
    calibrator = calibrate_target(
        raw,
        context,
        split,
        keys=training_input.training_set.keys,
        curves=model_curves(split.target),
    )
    return ShareModel(
        target=split.target,
        boosters=boosters,
        calibration_sample=calibrator.sample,
        calibration=calibrator.curve,
        conformal=calibrator.residuals,
    )


def _demand_model(
    training_input: TrainingInput,
    split: TargetSplit,
    context: IntervalContext,
    boosters: tuple[Booster, ...],
    raw: FloatArray,
) -> DemandModel:
    curve_fit, residual_fit = split.curve_fit, split.residual_fit
    lot, order_size = _read_lots(training_input, training_input.design_matrix(curve_fit.rows))
    curve = fit_demand_curve(
        raw[curve_fit.rows],
        curve_fit.label,
        curve_fit.weight,
        lot=lot,
        order_size=order_size,
        sharpness=training_input.recipe.settings.sharpness,
    )
    rows = residual_fit.rows
    lot, order_size = _read_lots(training_input, training_input.design_matrix(rows))
    demand = curve.apply(raw[rows], lot, order_size, uplift=np.ones(rows.size))
    judged, listings = context.select(rows), training_input.training_set.listings[rows]
    return DemandModel(
        target=split.target,
        boosters=boosters,
        calibration_sample=subsample(
            demand.share(), residual_fit.label, judged.evidence, listings=listings
        ),
        curve=curve,
        tails=fit_tails(demand, residual_fit.label, judged, listings=listings),
    )
