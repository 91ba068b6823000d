"""Bare LightGBM: what a fit costs when nothing but the library is at work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import lightgbm

from features.declarations.targets import Target
from training.boosting.fit_boosters import BoosterFit
from training.data.training_input import BoosterTexts


def train_bare(fit: BoosterFit, seed: int) -> str:
    """Train on the very arrays of a fit, with its parameters, and return the booster's text."""
    parameters = {**fit.parameters, "bagging_seed": seed, "feature_fraction_seed": seed}
    rows = lightgbm.Dataset(
        fit.inputs,
        fit.label,
        weight=fit.weight,
        init_score=fit.offset,
        feature_name=list(fit.names),
        params=parameters,
    )
    text: str = lightgbm.train(parameters, rows, num_boost_round=fit.trees).model_to_string()
    return text


def train_in_parallel(
    fits: Mapping[Target, Sequence[tuple[int, BoosterFit]]], *, threads: int
) -> BoosterTexts:
    """Train each target's fits with their seeds, so many at once, and return their texts."""
    with ThreadPoolExecutor(threads) as pool:
        running = {
            target: [pool.submit(train_bare, fit, seed) for seed, fit in ours]
            for target, ours in fits.items()
        }
        return {target: tuple(one.result() for one in ours) for target, ours in running.items()}
