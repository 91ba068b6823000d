"""Fit contestants on the folds of the product's forward validation, and on all known rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import lightgbm
import numpy as np

from experiments.benchmarks.objectives.contestants import CONTESTANTS, Contestant, Estimator
from experiments.benchmarks.objectives.lots import LotRows, read_lots
from features.runtime.arrays import FloatArray
from serving.prediction.booster import Booster
from serving.prediction.init_score import LOT
from serving.prediction.target_model import sum_of_trees
from training.boosting.objectives import booster_parameters
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput

FittedBoosters = Mapping[str, tuple[Booster, ...]]
"""Boosters by the name of their contestant, one for each seed."""


def fit_contestants(
    training_input: TrainingInput, split: TargetSplit
) -> tuple[FittedBoosters, dict[str, Estimator]]:
    """Return each contestant's boosters of all known rows, and its calibration.

    As in the product, boosters of what was final at each origin predict the rows that follow, and
    the calibration is learned from one half of these.
    """
    earliest = read_lots(training_input, split.train.rows)
    starts = {
        contestant.name: contestant.start(split.train, earliest) for contestant in CONTESTANTS
    }
    raw = {
        contestant.name: np.full(training_input.training_set.rows.size, np.nan)
        for contestant in CONTESTANTS
    }
    for fold in split.folds:
        at_origin = training_input.at(fold.first_day)
        boosters = fit_boosters(at_origin, fold.learned, starts)
        lots = read_lots(at_origin, fold.predicted.rows)
        for contestant in CONTESTANTS:
            raw[contestant.name][fold.predicted.rows] = predict_raw(contestant, boosters, lots)
    judged = split.curve_fit
    lots = read_lots(training_input, judged.rows)
    estimators = {
        contestant.name: contestant.calibrate(raw[contestant.name][judged.rows], judged, lots)
        for contestant in CONTESTANTS
    }
    return fit_boosters(training_input, split.known, starts), estimators


def predict_raw(contestant: Contestant, boosters: FittedBoosters, lots: LotRows) -> FloatArray:
    """Return the mean sums of a contestant's trees for lots, shape (rows,)."""
    seen = lots.with_covers() if contestant.sees_lot else lots
    return sum_of_trees(boosters[contestant.name], seen.inputs)


def fit_boosters(
    training_input: TrainingInput, sample: Sample, starts: Mapping[str, float]
) -> FittedBoosters:
    """Fit the boosters of all contestants on a sample, each in one thread."""
    settings, lots = training_input.recipe.settings, read_lots(training_input, sample.rows)
    seen = {False: lots, True: lots.with_covers()}
    with ThreadPoolExecutor(settings.threads) as threads:
        fits = {
            contestant.name: threads.submit(
                _fit_contestant,
                contestant,
                training_input,
                sample,
                lots=seen[contestant.sees_lot],
                start=starts[contestant.name],
            )
            for contestant in CONTESTANTS
        }
        return {name: tuple(map(Booster, fit.result())) for name, fit in fits.items()}


def _fit_contestant(
    contestant: Contestant,
    training_input: TrainingInput,
    sample: Sample,
    *,
    lots: LotRows,
    start: float,
) -> Sequence[str]:
    settings, catalogue = training_input.recipe.settings, training_input.recipe.catalogue
    task = contestant.task(sample, lots, start=start)
    further = len(lots.names) - len(catalogue.model_inputs)
    # More demand or stock for a unit never lowers its chance to sell.
    monotone = [*catalogue.monotone("sell_through"), *[1] * further]
    usable = [contestant.sees_lot or name != LOT for name in lots.names]
    parameters = {
        **booster_parameters(monotone, settings, usable=usable),
        **task.parameters,
        "objective": task.objective,
    }
    rows = lightgbm.Dataset(
        lots.inputs,
        sample.label,
        weight=task.weight,
        init_score=task.offset,
        feature_name=list(lots.names),
        params={**parameters, "objective": "none"},
    ).construct()
    first = settings.random_state
    return [
        lightgbm.train(
            {**parameters, "bagging_seed": seed, "feature_fraction_seed": seed},
            rows,
            num_boost_round=settings.trees,
        ).model_to_string()
        for seed in range(first, first + settings.fold_boosters)
    ]
