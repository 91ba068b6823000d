"""Intervals of shares among so many units: few widen them, and each number is held as promised."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike

from features.runtime.arrays import FloatArray
from tests.worlds.makers import draw_shares, split_by_maker
from training.estimator_errors import InvalidUnitsError, UnitsUnknownError
from training.estimators.base import ShareModel
from training.estimators.boosted import ReturnRiskModel
from training.estimators.shrinkage import ShrinkageModel

GROUPS = ["region", "maker"]
LATER = draw_shares(4000, seed=1)
BANDS = [(1, 15), (16, 39), (40, 60)]


def _covered(low: FloatArray, high: FloatArray) -> list[float]:
    """Return the share of outcomes inside, by band of units."""
    is_held = (low <= LATER.y) & (high >= LATER.y)
    return [
        float(is_held[(least <= LATER.trials) & (most >= LATER.trials)].mean())
        for least, most in BANDS
    ]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            (ShrinkageModel(groups=GROUPS), 3_000), id="pooled, too few to learn a spread"
        ),
        pytest.param(
            (ReturnRiskModel(groups=GROUPS, trees=60, boosters=1), 3_000),
            id="boosted, too few to learn a spread",
        ),
        pytest.param(
            (ReturnRiskModel(groups=GROUPS, quick=True, trees=60, boosters=1), 12_000),
            id="boosted, learned",
        ),
    ],
)
def fitted(request: pytest.FixtureRequest) -> ShareModel:
    model, rows = request.param
    market = draw_shares(rows)
    done: ShareModel = model.fit(market.X, market.y, market.trials)
    return done


def test_intervals_given_units_hold_at_few_and_at_many(fitted: ShareModel) -> None:
    told = _covered(*fitted.predict_interval(LATER.X, units=LATER.trials))
    untold = _covered(*fitted.predict_interval(LATER.X))
    assert untold[0] < 0.7
    assert untold[-1] > 0.84
    assert min(told) > 0.68
    assert max(abs(one - 0.8) for one in told) < 0.75 * max(abs(one - 0.8) for one in untold)


def test_few_units_widen_an_interval(fitted: ShareModel) -> None:
    ends = [fitted.predict_interval(LATER.X, units=units) for units in (1, 3, 10, 30, 300)]
    widths = [(high - low).mean() for low, high in ends]
    assert (np.diff(widths) <= 0).all()
    assert widths[0] > 1.3 * widths[-1]
    for low, high in ends:
        estimate = fitted.predict(LATER.X)
        assert ((low <= estimate) & (estimate <= high)).all()


def test_one_number_of_units_is_that_many_of_each_row(fitted: ShareModel) -> None:
    every = fitted.predict_interval(LATER.X, units=np.full(len(LATER.X), 7))
    np.testing.assert_array_equal(fitted.predict_interval(LATER.X, units=7), every)


def test_less_than_a_unit_counts_as_one(fitted: ShareModel) -> None:
    units = np.where(np.arange(len(LATER.X)) % 2, 0.0, 0.4)
    one = fitted.predict_interval(LATER.X, units=1)
    np.testing.assert_array_equal(fitted.predict_interval(LATER.X, units=units), one)


@pytest.mark.parametrize("units", [0, [0.0, 0.0], 1e-16])
def test_no_unit_expected_counts_as_one(units: ArrayLike, fitted: ShareModel) -> None:
    one = fitted.predict_interval(LATER.X[:2], units=1)
    np.testing.assert_array_equal(fitted.predict_interval(LATER.X[:2], units=units), one)


@pytest.mark.parametrize(
    "units", [np.nan, -1, np.inf, [1.0, np.nan], [1.0], [[1.0, 2.0]], "many", {}, pd.NA, 10**400]
)
def test_units_that_are_no_number_are_refused(units: ArrayLike, fitted: ShareModel) -> None:
    with pytest.raises(InvalidUnitsError, match="Give the number of units expected"):
        fitted.predict_interval(LATER.X[:2], units=units)


def test_units_are_refused_where_no_row_of_fit_had_more_than_one() -> None:
    market = draw_shares(300)
    weights = np.where(np.arange(300) % 2, 0.1, 0.7)
    model = ShrinkageModel(groups=GROUPS).fit(market.X, market.y, weights)
    with pytest.raises(UnitsUnknownError):
        model.predict_interval(market.X, units=3)


def test_weights_that_only_rounding_tells_apart_are_one_number_of_units() -> None:
    market = draw_shares(10_500)
    weights = np.where(np.arange(10_500) % 2, 3.3, 3 * 1.1)
    model = ShrinkageModel(groups=GROUPS).fit(market.X, market.y, weights)
    low, high = model.predict_interval(LATER.X, units=3)
    assert (low <= high).all()


def test_intervals_of_new_groups_hold_if_groups_were_held_back_in_full() -> None:
    covered = []
    for seed in range(6):
        market, later = split_by_maker(12_000, seed, makers=700)
        model = ShrinkageModel(groups=GROUPS, calibration_groups="maker")
        model.fit(market.X, market.y, market.trials)
        assert not model.notes_
        low, high = model.predict_interval(later.X, units=later.trials)
        covered.append(((low <= later.y) & (later.y <= high)).mean())
    assert 0.77 < np.mean(covered) < 0.83


def test_units_are_refused_where_fit_had_rows_of_equal_weight() -> None:
    market = draw_shares(300)
    model = ShrinkageModel(groups=GROUPS).fit(market.X, market.y)
    with pytest.raises(UnitsUnknownError, match="Give fit each row's trials as sample_weight"):
        model.predict_interval(market.X, units=3)
    low, high = model.predict_interval(market.X)
    assert (low <= high).all()
