"""What validation chooses for tables whose best model is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.worlds.makers import draw_shares
from training.estimators.boosted import NOT_VALIDATED, SellThroughModel
from training.portfolio.members import CHECKPOINTS, PORTFOLIO, SINGLE

MARKET = draw_shares(600)


def _trees(model: SellThroughModel) -> int:
    return max(one.member.trees or 0 for one in model.members_)


def test_noise_gets_no_more_trees_than_it_must() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.random((600, 3)), columns=["a", "b", "c"])
    noise = SellThroughModel(boosters=1).fit(table, rng.binomial(1, 0.3, 600))
    steep = SellThroughModel(boosters=1).fit(table, (table["a"] + table["b"] > 1).astype(float))
    assert _trees(noise) <= 25 < _trees(steep)
    assert np.ptp(noise.predict(table)) < 0.3


def test_members_are_of_the_portfolio_and_weights_sum_to_one() -> None:
    model = SellThroughModel(boosters=1).fit(MARKET.X, MARKET.y, MARKET.trials)
    assert sum(one.weight for one in model.members_) == pytest.approx(1)
    encodings = {member.encoding for member in PORTFOLIO}
    assert {one.member.encoding for one in model.members_} <= encodings
    assert {one.member.trees for one in model.members_} <= set(CHECKPOINTS)


def test_fixed_capacity_holds_for_all_members() -> None:
    model = SellThroughModel(boosters=1, trees=30, leaves=4, leaf_ridge=7, learning_rate=0.2)
    model.fit(MARKET.X, MARKET.y, MARKET.trials)
    for one in model.members_:
        assert (one.member.trees, one.member.leaves) == (30, 4)
        assert (one.member.leaf_ridge, one.member.learning_rate) == (7, 0.2)


def test_quick_takes_the_single_member() -> None:
    model = SellThroughModel(quick=True, boosters=1).fit(MARKET.X, MARKET.y, MARKET.trials)
    assert [one.member for one in model.members_] == [SINGLE]


@pytest.mark.parametrize(
    ("rows", "parameters"),
    [
        (150, {}),
        (600, {"calibration_groups": "market"}),
        (600, {"calibration_order": "market"}),
    ],
)
def test_rows_that_tell_no_members_apart_get_the_single_one(
    rows: int, parameters: dict[str, str]
) -> None:
    market = draw_shares(rows)
    table = market.X.assign(market=np.where(np.arange(rows) < rows // 2, 0, 1))
    model = SellThroughModel(boosters=1, trees=10).set_params(**parameters)
    model.fit(table, market.y, market.trials)
    assert NOT_VALIDATED in model.notes_
    assert len(model.members_) == 1
