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
from scipy.special import expit

from features.runtime.arrays import FloatArray
from training.data.training_input import BoosterRequest, BoosterTexts, TrainingInput
from training.settings import TrainingSettings

FORMULA: Final = "expected_return_rate_180d"
"""The input whose log odds the trees of return risk start from."""

LOT: Final = "units_offered"
ORDER_SIZE: Final = "order_size_84d"
FAR: Final = -25.0
"""Bent margins below it have a share of nearly 1, where a ratio of small numbers loses its digits.
"""

Fit = Callable[[], str]
"""Trains a booster and returns its text."""
Objective = Callable[[FloatArray, lightgbm.Dataset], tuple[FloatArray, FloatArray]]
"""LightGBM's custom objective: returns gradient and Hessian for margins."""


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


def bend_cross_entropy(sharpness: float) -> Objective:
    """Return the cross-entropy of s = (1 + exp(-a m))^(-1/a) for margins m and sharpness a."""

    def derivatives(margin: FloatArray, rows: lightgbm.Dataset) -> tuple[FloatArray, FloatArray]:
        bent = -sharpness * margin
        share = np.exp(-np.logaddexp(0.0, bent) / sharpness)
        slope = expit(bent)  # d log(share) / d margin
        odds = np.where(bent < FAR, sharpness, slope / np.maximum(1 - share, 1e-12))
        gradient = odds * (share - np.asarray(rows.get_label()))
        hessian = np.maximum(odds * slope * share, 1e-6)
        weight = rows.get_weight()  # None if all rows weigh the same
        return (gradient, hessian) if weight is None else (gradient * weight, hessian * weight)

    return derivatives


def main_job_fits(training_input: TrainingInput, request: BoosterRequest) -> Iterator[Fit]:
    """Yield the fits of a request's boosters in the main job.

    Those of sell-through see no lot and start from it; those of return risk correct a formula with
    fewer trees.
    """
    settings, catalogue = training_input.recipe.settings, training_input.recipe.catalogue
    target, sample = request.target, request.sample
    names, inputs = catalogue.model_inputs, training_input.request_matrix(request)
    trees, objective = settings.trees, None
    if target == "return_risk":
        rate = np.clip(inputs[:, names.index(FORMULA)], 1e-3, 1 - 1e-3)
        init_score = np.log(rate) - np.log1p(-rate)
        trees = max(round(settings.trees * settings.correcting_share), 1)
    else:
        lot, order_size = (inputs[:, names.index(name)] for name in (LOT, ORDER_SIZE))
        init_score = request.start - np.log(lot + np.fmax(order_size, 1) - 1)
        if settings.sharpness != 1:
            objective = bend_cross_entropy(settings.sharpness)
    for index in range(request.boosters):
        parameters = bare_parameters(
            settings, catalogue.monotone(target), settings.random_state + index
        )
        parameters["feature_contri"] = [0.0 if name == LOT else 1.0 for name in names]
        if objective is not None:
            parameters["objective"] = objective
        yield partial(
            train_bare,
            inputs,
            sample.label,
            sample.weight,
            init_score=init_score,
            names=names,
            parameters=parameters,
            trees=trees,
        )


def train_in_parallel(fits: Mapping[str, Sequence[Fit]], *, threads: int) -> BoosterTexts:
    """Train the boosters of all requests, `threads` at a time, and return their texts."""
    with ThreadPoolExecutor(threads) as pool:
        running = {name: [pool.submit(fit) for fit in fits[name]] for name in fits}
        return {name: tuple(job.result() for job in jobs) for name, jobs in running.items()}
