"""The contestants: objectives, numbers of averaged boosters, and two baselines for reference."""

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
from training.boosting.booster_fit import BoosterFit
from training.boosting.fit_boosters import init_score
from training.boosting.objectives import booster_parameters
from training.calibration.choose import CurveFitter, default_curves, model_curves
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.evaluation.baselines import CONSTANT, SHRINKAGE, raw_predictions


@dataclass(frozen=True)
class Contestant:
    """An average of boosters with different seeds; the last ones may have another objective."""

    objective: str
    boosters: int
    tweedie: int = 0
    """How many of the boosters, the last ones, minimise Tweedie on units instead."""

    @property
    def name(self) -> str:
        """Return the name in tables."""
        name = f"{self.objective}, {self.boosters - self.tweedie}"
        return f"{name}, and Tweedie, {self.tweedie}" if self.tweedie else name

    def draws(self, fitted: int) -> tuple[tuple[int, ...], ...]:
        """Return the boosters of each draw out of `fitted` ones: neighbours in a ring.

        The first draw holds the first boosters. Every booster is in equally many draws.

        Raises:
            ValueError: fewer boosters are fitted than a draw holds.
        """
        if fitted < self.boosters:
            raise ValueError(f"{self.name} of {fitted} boosters")
        ends = range(fitted) if self.boosters < fitted else range(1)
        return tuple(
            tuple((first + index) % fitted for index in range(self.boosters)) for first in ends
        )


FIVE: Final = Contestant(CROSS_ENTROPY.name, 5)
MIXED: Final = Contestant(CROSS_ENTROPY.name, 5, tweedie=1)
DEFAULTS: Final[Mapping[Target, Contestant]] = {"sell_through": MIXED, "return_risk": FIVE}
"""The contestant that the product trains for each target by default."""
OTHERS: Final = (
    Contestant(CROSS_ENTROPY.name, 1),
    Contestant(CROSS_ENTROPY.name, 3),
    FIVE,
    *(
        Contestant(objective.name, FIVE.boosters)
        for objective in OBJECTIVES
        if objective is not CROSS_ENTROPY
    ),
)
"""Rivals of the default: fewer boosters, and other objectives with as many boosters."""
MORE: Final = Contestant(CROSS_ENTROPY.name, 9)
"""Nearly twice as many boosters, for reference: more boosters always cost more time in proportion
and help less each, so the number isn't a contest."""
BASELINES: Final = (SHRINKAGE, CONSTANT)
NAMES: Final = (MIXED.name, *(other.name for other in OTHERS), MORE.name, *BASELINES)

POOLS: Final = {CROSS_ENTROPY.name: MORE.boosters, TWEEDIE_ON_UNITS.name: MORE.boosters}
"""Boosters to fit of the objectives that a default averages; of others as many as are averaged.
Averaging over draws removes the luck of single seeds (docs/decisions/draws-of-boosters.md)."""


def rivals(target: Target) -> tuple[str, ...]:
    """Return the names of the contestants that a target's default has to beat."""
    return tuple(other.name for other in OTHERS if other != DEFAULTS[target])


def references(target: Target) -> tuple[str, ...]:
    """Return the names of the references: other averages, and baselines."""
    mixed = () if DEFAULTS[target] == MIXED else (MIXED.name,)
    return (*mixed, MORE.name, *BASELINES)


def select_curves(name: str, target: Target, names: Sequence[str]) -> Sequence[CurveFitter]:
    """Return the calibration curves that the product's rule allows a contestant or baseline.

    Trees of cross-entropy have the product's init score. Other contestants are far from the truth
    before calibration, so they get the curves of a model without an init score.
    """
    with_init_score = {
        contestant.name
        for contestant in (MIXED, *OTHERS, MORE)
        if contestant.objective == FIVE.objective
    }
    return model_curves(target, names) if name in with_init_score else default_curves(target)


FittedBoosters = Mapping[str, tuple[Booster, ...]]
"""Fitted boosters by the name of their objective."""


def predict_raw(training_input: TrainingInput, split: TargetSplit) -> dict[str, list[FloatArray]]:
    """Fit all contestants on the training slice and predict the curve-fit and latest rows.

    Each contestant has one array a draw of boosters; the default's first draw is the product.
    Arrays have the rows of the training set, NaN for rows without a prediction.
    """
    requested = np.concatenate([split.curve_fit.rows, split.latest.rows])
    inputs = training_input.inputs_for(split.target, requested)
    start = init_column(split.target, training_input.recipe.catalogue.model_inputs)
    fitted = {
        objective.name: _fit_boosters(training_input, split, objective) for objective in OBJECTIVES
    }
    predictions = {}
    for contestant in (MIXED, *OTHERS, MORE):
        draws = []
        for indices in contestant.draws(len(fitted[contestant.objective])):
            raw = np.full(training_input.training_set.rows.size, np.nan)
            raw[requested] = _predict_draw(contestant, fitted, indices, inputs, start)
            draws.append(raw)
        predictions[contestant.name] = draws
    baselines = raw_predictions(training_input.training_set, split, training_input.parameters)
    return predictions | {name: [baselines[name]] for name in BASELINES}


def _predict_draw(
    contestant: Contestant,
    fitted: FittedBoosters,
    indices: tuple[int, ...],
    inputs: FloatArray,
    start: int | None,
) -> FloatArray:
    """Return a draw's shares, shape (rows,); only cross-entropy has the product's init score."""
    split_at = len(indices) - contestant.tweedie
    main = tuple(fitted[contestant.objective][index] for index in indices[:split_at])
    tweedie = tuple(fitted[TWEEDIE_ON_UNITS.name][index] for index in indices[split_at:])
    if start is None or contestant.objective != CROSS_ENTROPY.name:
        return mean_prediction((*main, *tweedie), inputs)
    share = apply_init_score(mean_prediction(main, inputs), inputs, start)
    if not tweedie:
        return share
    tweedie_share = mean_prediction(tweedie, inputs)
    return (len(main) * share + len(tweedie) * tweedie_share) / len(indices)


def _fit_boosters(
    training_input: TrainingInput, split: TargetSplit, objective: Objective
) -> tuple[Booster, ...]:
    """Return as many boosters of an objective as the contestants need."""
    recipe, sample = training_input.recipe, split.train
    names, inputs = recipe.catalogue.model_inputs, training_input.design_matrix(sample.rows)
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
    ).bin()
    averaged = [other.boosters for other in OTHERS if other.objective == objective.name]
    count = max(POOLS.get(objective.name, 1), *averaged)
    first = recipe.settings.random_state
    with ThreadPoolExecutor(recipe.settings.threads) as threads:
        return tuple(map(Booster, threads.map(fit.fit, range(first, first + count))))
