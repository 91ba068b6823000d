"""Lists chosen out of any table by the estimators: what share of them turned out bad."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from serving.scoring.selection import (
    InvalidSelectionError,
    NoSelectionReason,
    SelectionRequest,
    conformal_p_values,
)
from tests.worlds.makers import draw_shares, split_by_maker
from training.estimators.base import NO_UNSEEN_GROUP, ShareModel
from training.estimators.boosted import BoostedShareModel, ReturnRiskModel, SellThroughModel
from training.estimators.shrinkage import ShrinkageModel

GROUPS = ["region", "maker"]
SEEDS = 22
LEAST_LISTS = 20


def _bad_shares(model: ShareModel, bad_share: float, *, seeds: int = SEEDS) -> list[float]:
    """Return how much of each seed's list came out bad at a threshold of 0.3; of none, none."""
    found = []
    for seed in range(seeds):
        market, later = draw_shares(1500, seed), draw_shares(500, seed + 1000)
        model.fit(market.X, market.y, market.trials)
        selection = model.select(later.X, bad_share=bad_share, threshold=0.3)
        is_bad = selection.request.is_bad(later.y)
        assert is_bad.mean() > 2 * bad_share
        if selection.is_chosen.any():
            found.append(float(is_bad[selection.is_chosen].mean()))
    return found


@pytest.mark.parametrize("estimator", [ReturnRiskModel, SellThroughModel])
def test_bad_share_of_lists_is_at_most_the_one_asked_on_average(
    estimator: type[BoostedShareModel],
) -> None:
    # Each list is a draw: the mean of 22 has a standard error of a tenth of itself.
    found = _bad_shares(estimator(groups=GROUPS, quick=True, trees=20, boosters=1), 0.1, seeds=100)
    assert len(found) >= LEAST_LISTS
    assert np.mean(found) <= 0.1


def test_lists_of_a_weak_model_are_often_empty_and_keep_the_promise_with_those() -> None:
    found = _bad_shares(ShrinkageModel(groups=GROUPS, target="return_risk"), 0.1)
    assert SEEDS / 3 < len(found) < SEEDS
    assert sum(found) / SEEDS <= 0.1


@pytest.fixture(scope="module")
def fitted() -> ShareModel:
    market = draw_shares(1500)
    model = ReturnRiskModel(groups=GROUPS, quick=True, trees=30, boosters=1)
    return model.fit(market.X, market.y, market.trials)


def test_the_usual_list_is_a_tenth_over_a_return_risk_of_a_fifth(fitted: ShareModel) -> None:
    later = draw_shares(500, 1)
    usual = fitted.select(later.X)
    told = fitted.select(later.X, bad_share=0.1, threshold=0.2)
    assert usual.is_chosen.sum() > 0
    np.testing.assert_array_equal(usual.is_chosen, told.is_chosen)
    assert (usual.request.target, usual.request.threshold) == ("return_risk", 0.2)


def test_a_list_that_nothing_can_promise_is_empty_and_says_why(fitted: ShareModel) -> None:
    later = draw_shares(500, 1)
    assert fitted.select(later.X, 0.001).reason == NoSelectionReason.TOO_FEW_PAST_DECISIONS
    assert not fitted.select(later.X, 0.001).is_chosen.any()


@pytest.mark.parametrize(
    "asked",
    [
        {"bad_share": 0.0},
        {"bad_share": 1.0},
        {"bad_share": float("nan")},
        {"threshold": float("nan")},
        {"threshold": 1.5},
        {"threshold": True},
        {"threshold": "0.5"},
        {"bad_share": "0.1"},
        {"bad_share": None},
    ],
)
def test_list_that_is_bounded_by_nothing_is_refused(
    asked: dict[str, Any], fitted: ShareModel
) -> None:
    with pytest.raises(InvalidSelectionError, match=next(iter(asked))):
        fitted.select(draw_shares(5).X, **asked)


def test_model_that_is_not_fitted_chooses_nothing() -> None:
    with pytest.raises(NotFittedError):
        SellThroughModel().select(pd.DataFrame({"price": [1.0]}))


def test_past_rows_of_a_maker_count_as_far_as_they_come_out_alike() -> None:
    market = draw_shares(3000, makers=60)
    # Each maker's rows have one outcome: that of its first.
    alike = market.X["maker"].map(pd.Series(market.y, market.X["maker"]).groupby(level=0).first())
    model = ShrinkageModel(groups=["region"], target="return_risk", calibration_groups="maker")
    calibration_sample = model.fit(market.X, alike).calibrator_.without_units.sample
    assert np.unique(calibration_sample.listings).size == 12  # a fifth of 60
    alone = replace(calibration_sample, listings=np.arange(calibration_sample.listings.size))
    estimate, evidence = calibration_sample.estimate, calibration_sample.evidence
    best = np.argmin(estimate)
    request = SelectionRequest(target="return_risk", threshold=0.3, bad_share=0.3)
    p_values = [
        conformal_p_values(estimate, evidence, one, request)[best]
        for one in (alone, calibration_sample)
    ]
    assert p_values[1] > 1.2 * p_values[0]


def test_rows_of_unseen_makers_are_left_out_where_none_was_held_back() -> None:
    market, later = draw_shares(3000), draw_shares(500, 1)
    model = ShrinkageModel(groups=GROUPS, target="return_risk").fit(market.X, market.y)
    assert NO_UNSEEN_GROUP in model.notes_
    mixed = later.X.assign(
        maker=[f"new {row}" if row % 2 else name for row, name in enumerate(later.X["maker"])]
    )
    chosen = model.select(mixed, 0.3, threshold=0.4).is_chosen
    assert chosen.any()
    assert not chosen[1::2].any()
    unseen = model.select(later.X.assign(maker="new"), 0.3, threshold=0.4)
    assert not unseen.is_chosen.any()
    assert unseen.reason == NoSelectionReason.TOO_FEW_PAST_DECISIONS


def test_rows_of_unseen_makers_are_chosen_where_whole_makers_were_held_back() -> None:
    found = []
    for seed in range(SEEDS):
        market, later = split_by_maker(1500, seed, makers=300)
        model = ReturnRiskModel(
            groups=GROUPS, calibration_groups="maker", quick=True, trees=20, boosters=1
        )
        model.fit(market.X, market.y, market.trials)
        assert NO_UNSEEN_GROUP not in model.notes_
        selection = model.select(later.X, 0.2, threshold=0.4)
        if selection.is_chosen.any():
            found.append(selection.request.is_bad(later.y)[selection.is_chosen].mean())
    assert len(found) >= LEAST_LISTS
    assert np.mean(found) <= 0.2
