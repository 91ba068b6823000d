"""Fit the models of all targets: boosters on known rows and at each origin, then calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.prediction.booster import Booster
from serving.prediction.target_model import corrected_share, sum_of_trees
from training.boosting.fit_boosters import BoosterFitter, fit_booster, fit_boosters
from training.calibration.demand_curve_fit import find_start
from training.calibration.fitted_target import FittedTarget, ForwardRows
from training.calibration.interval_context import SELLER, Sellers, build_target_context
from training.data.cold_start_rows import has_full_history
from training.data.sample import NO_ROWS, Sample, is_learnable
from training.data.time_split import TargetSplit
from training.data.training_input import BoosterRequest, BoosterTexts, Fitter, TrainingInput

EARLY: Final = "sell_through_early"
"""Name of the boosters that learned no sell-through of return risk's calibration slice."""


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
        training_input.request_matrix, requests, recipe.catalogue, recipe.settings, fitter=fitter
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
    requests = booster_requests(training_input, splits)
    texts = fit(training_input, requests)
    fitted: dict[Target, FittedTarget] = {}
    sellers: Sellers | None = None
    for target, split in splits.items():  # sell-through first: return risk needs its model
        context = build_target_context(training_input, split, sellers)
        raw = _predict_folds(training_input, split, texts)
        forward = ForwardRows(training_input, split, context, raw)
        is_demand = target == "sell_through"
        calibrate = forward.calibrate_demand if is_demand else forward.calibrate_shares
        fitted[target] = calibrate(_load(texts[target]))
        if is_demand:
            name = EARLY if EARLY in requests else _fold_name(target, 0)
            sellers = Sellers(fitted[target].model, _load(texts[name]), requests[name])
    return fitted


def booster_requests(
    training_input: TrainingInput, splits: Mapping[Target, TargetSplit]
) -> dict[str, BoosterRequest]:
    """Return the boosters to fit: of all known rows by target, and of each origin.

    With return risk, those that expect how many units its calibration rows are about are among
    them, under the name `EARLY`.
    """
    settings = training_input.recipe.settings
    requests: dict[str, BoosterRequest] = {}
    for target, split in splits.items():
        start = find_start(training_input, target, split.train)  # the same at each origin
        requests[target] = BoosterRequest(target, split.known, settings.boosters, start)
        early = _early_sample(training_input, splits) if target == SELLER else NO_ROWS
        if early.rows.size:
            start_early = find_start(training_input, SELLER, early)
            first = splits["return_risk"].folds[0].first_day
            requests[EARLY] = BoosterRequest(
                SELLER, early, settings.fold_boosters, start_early, first
            )
        for number, fold in enumerate(split.folds):
            requests[_fold_name(target, number)] = BoosterRequest(
                target, fold.learned, settings.fold_boosters, start, fold.first_day
            )
    return requests


def _early_sample(training_input: TrainingInput, splits: Mapping[Target, TargetSplit]) -> Sample:
    """Return the rows of sell-through that were final before return risk's calibration slice.

    That slice begins long before the one of sell-through, because returns are known later. There
    are no such rows without return risk, nor where they are too few to learn from, as they may be
    if cancellations are known later than returns: then the first origin stands in.
    """
    if "return_risk" not in splits:
        return NO_ROWS
    recipe, training_set = training_input.recipe, training_input.training_set
    known, settings = splits[SELLER].known, recipe.settings
    final_on = training_set.as_of_day[known.rows] + recipe.horizons.maturity_days(SELLER)
    early = known.select(final_on <= splits["return_risk"].days.calibration.first)
    originals = early.label[has_full_history(training_set, early.rows)]
    is_enough = is_learnable(
        originals, min_rows=settings.min_rows, min_positives=settings.min_positives
    )
    return early if is_enough else NO_ROWS


def _fold_name(target: Target, number: int) -> str:
    return f"{target}_origin{number}"


def _predict_folds(
    training_input: TrainingInput, split: TargetSplit, texts: BoosterTexts
) -> FloatArray:
    """Return raw predictions of the calibration rows, each by the boosters of its origin.

    The result has shape (rows of the training set,), and is NaN for other rows.
    """
    names = training_input.recipe.catalogue.model_inputs
    raw = np.full(training_input.training_set.rows.size, np.nan)
    for number, fold in enumerate(split.folds):
        rows = fold.predicted.rows
        matrix = training_input.at(fold.first_day).design_matrix(rows)
        sums = sum_of_trees(_load(texts[_fold_name(split.target, number)]), matrix)
        is_demand = split.target == "sell_through"
        raw[rows] = sums if is_demand else corrected_share(sums, matrix, names)
    return raw


def _load(texts: tuple[str, ...]) -> tuple[Booster, ...]:
    return tuple(Booster(text) for text in texts)
