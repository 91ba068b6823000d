"""Who is compared: objectives, how many boosters are averaged, and two baselines for reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.benchmarks.objectives.objectives import (
    CROSS_ENTROPY,
    OBJECTIVES,
    TWEEDIE_ON_UNITS,
    Objective,
)
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.prediction.booster import Booster
from serving.prediction.init_score import apply_init_score, init_column
from serving.prediction.target_model import mean_prediction
from training.boosting.fit_boosters import BoosterFit, init_score
from training.boosting.objectives import booster_parameters
from training.calibration.choose import CurveFitter
from training.calibration.conformal_fit import default_curves, model_curves
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.evaluation.baselines import CONSTANT, SHRINKAGE, raw_predictions


@dataclass(frozen=True)
class Contestant:
    """Boosters of different seeds, the last ones maybe of another objective, to be averaged."""

    objective: str
    boosters: int
    tweedie: int = 0
    """How many of them, the last ones, are of Tweedie on units instead."""

    @property
    def name(self) -> str:
        """Return what tables call it."""
        ours = f"{self.objective}, {self.boosters - self.tweedie}"
        return f"{ours}, and Tweedie, {self.tweedie}" if self.tweedie else ours

    def draws(self, fitted: int) -> tuple[tuple[int, ...], ...]:
        """Return the boosters of each draw, of as many as are fitted: neighbours in a ring.

        The first draw is of the first boosters. All boosters are in equally many draws.

        Raises:
            ValueError: fewer are fitted than one draw holds, which is a fault of the caller.
        """
        if fitted < self.boosters:
            raise ValueError(f"{self.name} of {fitted} boosters")
        ends = range(fitted) if self.boosters < fitted else range(1)
        return tuple(
            tuple((first + place) % fitted for place in range(self.boosters)) for first in ends
        )


FIVE: Final = Contestant(CROSS_ENTROPY.name, 5)
MIXED: Final = Contestant(CROSS_ENTROPY.name, 5, tweedie=1)
DEFAULTS: Final[Mapping[Target, Contestant]] = {"sell_through": MIXED, "return_risk": FIVE}
"""What the product trains of each target, if no setting says otherwise."""
OTHERS: Final = (
    Contestant(CROSS_ENTROPY.name, 1),
    Contestant(CROSS_ENTROPY.name, 3),
    FIVE,
    *(Contestant(one.name, FIVE.boosters) for one in OBJECTIVES if one is not CROSS_ENTROPY),
)
"""Whom the default meets: objectives, as averages of as many boosters as it has, and how many."""
MORE: Final = Contestant(CROSS_ENTROPY.name, 9)
"""What nearly twice as many boosters of cross-entropy would still bring, for reference: more cost
time in proportion and are better by ever less, so that a contest of numbers would never end."""
BASELINES: Final = (SHRINKAGE, CONSTANT)
NAMES: Final = (MIXED.name, *(one.name for one in OTHERS), MORE.name, *BASELINES)

POOLS: Final = {CROSS_ENTROPY.name: MORE.boosters, TWEEDIE_ON_UNITS.name: MORE.boosters}
"""Boosters fitted of the objectives that a default averages; of others as many as are averaged.
What seeds a booster happens to have moves log loss more than how many are averaged: of nine each,
log loss on sell-through had a standard deviation of 0.0002 to 0.0005 on small markets and of 0.0006
to 0.0008 on Online Retail."""


def rivals(target: Target) -> tuple[str, ...]:
    """Return the names of those that the default of a target has to beat."""
    return tuple(one.name for one in OTHERS if one != DEFAULTS[target])


def references(target: Target) -> tuple[str, ...]:
    """Return the names of those that stand beside: what else could be averaged, and baselines."""
    mixed = () if DEFAULTS[target] == MIXED else (MIXED.name,)
    return (*mixed, MORE.name, *BASELINES)


def allowed_curves(name: str, target: Target, names: Sequence[str]) -> Sequence[CurveFitter]:
    """Return the curves that a contestant or baseline may get, by the rule of the product.

    Cross-entropy's trees start from where the product's do, of the mixed ones all but the last.
    Who starts elsewhere isn't near the truth before a curve, and gets one without being sure.
    """
    starting = {one.name for one in (MIXED, *OTHERS, MORE) if one.objective == FIVE.objective}
    return model_curves(target, names) if name in starting else default_curves(target)


FittedBoosters = Mapping[str, tuple[Booster, ...]]
"""The boosters fitted, by their objective."""


def predict_raw(training_input: TrainingInput, split: TargetSplit) -> dict[str, list[FloatArray]]:
    """Fit all on the training slice; return what each says of the rows that shape and judge.

    One array a draw of boosters; the default's first is the product's. Arrays have a place for each
    row of the training set, NaN where nobody was asked.
    """
    asked = np.concatenate([split.curve_fit.rows, split.latest.rows])
    inputs = training_input.inputs_for(split.target, asked)
    start = init_column(split.target, training_input.recipe.catalogue.model_inputs)
    learned = {one.name: _fit_boosters(training_input, split, one) for one in OBJECTIVES}
    predictions = {}
    for contestant in (MIXED, *OTHERS, MORE):
        draws = []
        for places in contestant.draws(len(learned[contestant.objective])):
            raw = np.full(len(training_input.matrix), np.nan)
            raw[asked] = _predict_draw(contestant, learned, places, inputs, start)
            draws.append(raw)
        predictions[contestant.name] = draws
    baselines = raw_predictions(training_input.training_set, split, training_input.parameters)
    return predictions | {name: [baselines[name]] for name in BASELINES}


def _predict_draw(
    contestant: Contestant,
    learned: FittedBoosters,
    places: tuple[int, ...],
    inputs: FloatArray,
    start: int | None,
) -> FloatArray:
    """Return a draw's shares, (rows,); cross-entropy alone starts where the product does."""
    own, tweedie = learned[contestant.objective], learned[TWEEDIE_ON_UNITS.name]
    last = len(places) - contestant.tweedie
    ours = tuple(own[place] for place in places[:last])
    others = tuple(tweedie[place] for place in places[last:])
    if start is None or contestant.objective != CROSS_ENTROPY.name:
        return mean_prediction((*ours, *others), inputs)
    share = apply_init_score(mean_prediction(ours, inputs), inputs, start)
    if not others:
        return share
    beside = mean_prediction(others, inputs)
    return (len(ours) * share + len(others) * beside) / len(places)


def _fit_boosters(
    training_input: TrainingInput, split: TargetSplit, objective: Objective
) -> tuple[Booster, ...]:
    """Return boosters enough for each contestant."""
    recipe, sample = training_input.recipe, split.train
    names, inputs = recipe.catalogue.model_inputs, training_input.matrix[sample.rows]
    offset, trees = None, recipe.settings.trees
    if objective is CROSS_ENTROPY:
        trees = recipe.settings.tree_count(split.target, names)
        offset = init_score(split.target, inputs, names)
    product = booster_parameters(recipe.catalogue.monotone(split.target), recipe.settings)
    fit = BoosterFit(
        inputs,
        sample.label,
        objective.weight(training_input, split.target, sample),
        names=names,
        parameters={**product, **objective.parameters},
        trees=trees,
        offset=offset,
    )
    averaged = [one.boosters for one in OTHERS if one.objective == objective.name]
    count = max(POOLS.get(objective.name, 1), *averaged)
    first = recipe.settings.random_state
    with ThreadPoolExecutor(recipe.settings.threads) as threads:
        return tuple(map(Booster, threads.map(fit.fit, range(first, first + count))))
