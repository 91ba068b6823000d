"""Bare LightGBM: the product's boosters as a user of the library would fit them.

Nothing here calls the product's fit. It states the boosters a second time, in LightGBM's own
words: trees that come out equal show that both sides did the same work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import lightgbm
import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from training.data.sample import Sample
from training.data.training_input import BoosterTexts, TrainingInput
from training.settings import TrainingSettings

FORMULA: Final = "expected_return_rate_180d"
"""The input whose log odds the trees of return risk start from."""

Fit = Callable[[], str]
"""Trains a booster and returns its text."""


def train_bare(  # noqa: PLR0913 - LightGBM's own arguments
    inputs: FloatArray,
    label: FloatArray,
    weight: FloatArray,
    *,
    init_score: FloatArray | None,
    names: Sequence[str],
    parameters: Mapping[str, Any],
    trees: int,
) -> str:
    """Train a booster on `inputs` of shape (rows, names) and return its text."""
    rows = lightgbm.Dataset(
        inputs, label, weight=weight, init_score=init_score, feature_name=list(names)
    )
    text: str = lightgbm.train(dict(parameters), rows, num_boost_round=trees).model_to_string()
    return text


def bare_parameters(
    settings: TrainingSettings, monotone: Sequence[int], seed: int
) -> dict[str, Any]:
    """Return LightGBM's parameters; `monotone` holds -1, 0 or 1 for each input."""
    return {
        "objective": "cross_entropy",
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": settings.min_samples_leaf,
        "lambda_l2": settings.leaf_ridge,
        "feature_fraction": settings.feature_share,
        "feature_fraction_seed": seed,
        "bagging_fraction": settings.bagging_share,
        "bagging_freq": 1,
        "bagging_seed": seed,
        "max_bin": settings.bins,
        "monotone_constraints": list(monotone),
        "data_random_seed": settings.random_state,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }


def main_job_fits(training_input: TrainingInput, target: Target, sample: Sample) -> Iterator[Fit]:
    """Yield the fits of a target's boosters in the main job.

    The last boosters of sell-through minimise the Tweedie deviance of units; those of return risk
    correct a formula with fewer trees.
    """
    settings, catalogue = training_input.recipe.settings, training_input.recipe.catalogue
    names, inputs = catalogue.model_inputs, training_input.design_matrix(sample.rows)
    init_score, trees, tweedie_boosters = None, settings.trees, 0
    if target == "return_risk":
        rate = np.clip(inputs[:, names.index(FORMULA)], 1e-3, 1 - 1e-3)
        init_score = np.log(rate) - np.log1p(-rate)
        trees = max(round(settings.trees * settings.correcting_share), 1)
    else:
        tweedie_boosters = round(settings.boosters * settings.tweedie_share)
    for index in range(settings.boosters):
        parameters = bare_parameters(
            settings, catalogue.monotone(target), settings.random_state + index
        )
        weight = sample.weight
        if index >= settings.boosters - tweedie_boosters:
            parameters |= {"objective": "tweedie", "tweedie_variance_power": 1.3}
            weight = weight * inputs[:, names.index("units_offered")] ** (2 - 1.3)
        yield partial(
            train_bare,
            inputs,
            sample.label,
            weight,
            init_score=init_score,
            names=names,
            parameters=parameters,
            trees=trees,
        )


def train_in_parallel(fits: Mapping[Target, Sequence[Fit]], *, threads: int) -> BoosterTexts:
    """Train the boosters of all targets, `threads` at a time, and return their texts."""
    with ThreadPoolExecutor(threads) as pool:
        running = {
            target: [pool.submit(fit) for fit in target_fits]
            for target, target_fits in fits.items()
        }
        return {target: tuple(job.result() for job in jobs) for target, jobs in running.items()}
