"""Who is compared: objectives, how many boosters are averaged, and two baselines for reference."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.bench_objectives.objectives import (
    CROSS_ENTROPY,
    OBJECTIVES,
    Objective,
    exposure_of,
)
from features.declarations import FloatArray
from serving.booster import Booster
from serving.starting_share import from_start, place_of_start
from serving.target_model import mean_prediction
from training.baselines import CONSTANT, SHRINKAGE, raw_predictions
from training.fitting import BoosterFit, booster_parameters
from training.material import Material
from training.split import Division
from training.start_log_odds import start_log_odds


@dataclass(frozen=True)
class Contestant:
    """An objective's boosters, which differ in their seed and whose predictions are averaged."""

    objective: str
    boosters: int

    @property
    def name(self) -> str:
        """Return what tables call it."""
        return f"{self.objective}, {self.boosters}"

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


DEFAULT: Final = Contestant("cross-entropy", 5)
"""What the product trains, if no setting says otherwise."""
CONTESTANTS: Final = (
    DEFAULT,
    Contestant("cross-entropy", 1),
    Contestant("cross-entropy", 3),
    *(Contestant(one.name, DEFAULT.boosters) for one in OBJECTIVES if one is not CROSS_ENTROPY),
)
"""Objectives are compared as averages of equally many boosters, and how many by cross-entropy."""
MORE: Final = Contestant("cross-entropy", 9)
"""What nearly twice as many boosters would still bring, for reference: more cost time in proportion
and are better by ever less, so that a contest of numbers would never end."""
BASELINES: Final = (SHRINKAGE, CONSTANT)
REFERENCES: Final = (MORE.name, *BASELINES)

POOLS: Final = {CROSS_ENTROPY.name: MORE.boosters}
"""Boosters fitted of an objective whose averages are compared; of others as many as are averaged.
What seeds a booster happens to have moves log loss more than how many are averaged: of nine each,
log loss on sell-through had a standard deviation of 0.0002 to 0.0005 on small markets and of 0.0006
to 0.0008 on Online Retail."""


def raw_of_contestants(material: Material, division: Division) -> dict[str, list[FloatArray]]:
    """Fit all on the training slice; return what each says of the rows that shape and judge.

    One array a draw of boosters; the default's first is the product's. Arrays have a place for each
    row of the training set, NaN where nobody was asked.
    """
    asked = np.concatenate([division.shaping.rows, division.latest.rows])
    inputs = material.asked(division.target, asked)
    start = place_of_start(division.target, material.recipe.catalogue.model_inputs)
    learned = {one.name: _lesson_learned(material, division, one) for one in OBJECTIVES}
    said = {}
    for contestant in (*CONTESTANTS, MORE):
        boosters, share = learned[contestant.objective]
        draws = []
        for places in contestant.draws(len(boosters)):
            raw = np.full(len(material.matrix), np.nan)
            mean = mean_prediction(tuple(boosters[place] for place in places), inputs)
            # Cross-entropy alone starts where the product does.
            is_product_s = contestant.objective == CROSS_ENTROPY.name
            raw[asked] = from_start(mean, inputs, start) if is_product_s else share * mean
            draws.append(raw)
        said[contestant.name] = draws
    baselines = raw_predictions(material.training_set, division, material.parameters)
    return said | {name: [baselines[name]] for name in BASELINES}


def _lesson_learned(
    material: Material, division: Division, objective: Objective
) -> tuple[tuple[Booster, ...], float]:
    """Return boosters enough for each contestant, and the share that they mean by 1."""
    recipe, sample = material.recipe, division.train
    lesson = objective.lesson(sample, exposure_of(material, division.target, sample))
    inputs = material.matrix[sample.rows]
    offset, trees = lesson.offset, recipe.settings.trees
    if objective is CROSS_ENTROPY:
        trees = recipe.settings.trees_of(division.target, recipe.catalogue.model_inputs)
        offset = start_log_odds(division.target, inputs, recipe.catalogue.model_inputs)
    product = booster_parameters(recipe.catalogue.monotone(division.target), recipe.settings)
    fit = BoosterFit(
        inputs,
        lesson.label,
        lesson.weight,
        names=recipe.catalogue.model_inputs,
        parameters={**product, **objective.parameters},
        trees=trees,
        offset=offset,
    )
    averaged = [one.boosters for one in CONTESTANTS if one.objective == objective.name]
    count = max(POOLS.get(objective.name, 1), *averaged, 1)
    first = recipe.settings.random_state
    with ThreadPoolExecutor(recipe.settings.threads) as threads:
        texts = list(threads.map(fit.fit, range(first, first + count)))
    return tuple(Booster(text) for text in texts), lesson.share
