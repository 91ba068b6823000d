"""Lists chosen out of later decisions by fitted models: what share of them turned out bad."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from serving.conformal.calibration_sample import CalibrationSample
from serving.scoring.selection import SelectionRequest, choose
from tests.worlds.training import HORIZONS, QUICK, market_rows
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import LearnedParameters, TrainingInput, TrainingRecipe
from training.data.training_set import TrainingSet, read_training_set
from training.fit.fit_targets import fit_targets
from training.shrinkage.learned_parameters import learn_parameters

SEEDS = 40
LEAST_LISTS = 20
SETTINGS = QUICK.model_copy(update={"boosters": 1, "calibration_days": 28})


@dataclass(frozen=True)
class Later:
    """A model's estimates of later decisions, and what came of them."""

    estimate: FloatArray
    evidence: IntArray
    outcome: FloatArray
    calibration_sample: CalibrationSample


def _divided(seed: int) -> tuple[TrainingSet, dict[Target, TargetSplit]]:
    training_set = read_training_set(market_rows(seed), CATALOGUE)
    return training_set, {
        target: split_target(training_set, target, HORIZONS, SETTINGS)
        for target in training_set.outcomes
    }


@cache
def _parameters() -> LearnedParameters:
    """Learn pooling on a market of its own: all are drawn alike, and it takes half of a fit."""
    training_set, splits = _divided(SEEDS)
    return learn_parameters(training_set, splits, HORIZONS)


@cache
def _market(seed: int) -> dict[Target, Later]:
    """Fit models on a market and apply them to its latest slice."""
    training_set, splits = _divided(seed)
    training_input = TrainingInput.build(
        TrainingRecipe(HORIZONS, CATALOGUE, SETTINGS), training_set, _parameters(), splits
    )
    fitted = fit_targets(training_input, splits)
    context = training_set.context(np.ones(training_input.training_set.rows.size))
    return {
        target: Later(
            fitted[target]
            .model.predict(
                training_input.design_matrix(split.latest.rows),
                training_input.demand[split.latest.rows],
            )
            .share,
            context.select(split.latest.rows).evidence,
            split.latest.label,
            fitted[target].model.calibration_sample,
        )
        for target, split in splits.items()
    }


@pytest.mark.parametrize(
    ("target", "threshold", "bad_share"),
    [
        ("sell_through", 0.3, 0.1),
        ("sell_through", 0.5, 0.1),
        ("sell_through", 0.5, 0.2),
        ("sell_through", 0.2, 0.05),
        ("return_risk", 0.2, 0.1),
        ("return_risk", 0.3, 0.1),
        ("return_risk", 0.2, 0.2),
    ],
)
def test_bad_share_of_chosen_lists_is_at_most_the_one_asked_on_average(
    target: Target, threshold: float, bad_share: float
) -> None:
    request = SelectionRequest(target=target, threshold=threshold, bad_share=bad_share)
    found, whole = [], []
    for seed in range(SEEDS):
        later = _market(seed)[target]
        is_bad = request.is_bad(later.outcome)
        chosen = choose(later.estimate, later.evidence, later.calibration_sample, request).is_chosen
        whole.append(is_bad.mean())
        if chosen.sum() >= 20:
            found.append(is_bad[chosen].mean())
    assert len(found) >= LEAST_LISTS
    assert np.mean(found) <= bad_share
    assert np.mean(whole) > 1.3 * bad_share


def test_picking_by_the_estimate_alone_gathers_errors_at_the_top() -> None:
    """What selection is for: a good estimate promises an average, not a list."""
    shares = []
    for seed in range(SEEDS):
        later = _market(seed)["return_risk"]
        picked = later.outcome[later.estimate <= 0.2]
        if picked.size:
            shares.append((picked > 0.2).mean())
    assert len(shares) >= LEAST_LISTS
    assert np.mean(shares) > 0.15
