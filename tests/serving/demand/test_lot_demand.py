"""Demand for lots of any size: what must hold for all numbers, and slow sums to compare with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.runtime.arrays import FloatArray
from serving.demand.lot_demand import MIN_TAIL, LotDemand, log_lot, share_of_margin
from serving.prediction.demand_curve import (
    MAX_LOG_DEMAND,
    MAX_SHARPNESS,
    MIN_CHANCE,
    MIN_SHARPNESS,
)
from tests.worlds.conformal import pick

MAX_LOT = 1_000_000_000
ROUNDING = 1e-12

demands = st.floats(-MAX_LOG_DEMAND, MAX_LOG_DEMAND).map(np.exp)
usual_demands = st.floats(-2, 6).map(np.exp)
lots = st.one_of(st.integers(1, 40), st.floats(0, 9).map(lambda power: int(10**power)))
order_sizes = st.one_of(st.just(1.0), st.floats(1, 1000), st.just(float("nan")))
sharpnesses = st.floats(MIN_SHARPNESS, MAX_SHARPNESS)
chances = st.one_of(st.just(1.0), st.floats(MIN_CHANCE, 1))
drifts = st.floats(-3, 3)
tails = st.one_of(st.floats(0, 1), st.floats(0, 6).map(lambda power: 10**-power))


def _row(
    demand: float,
    lot: float,
    order_size: float = 1.0,
    sharpness: float = 1.5,
    chance: float = 1.0,
) -> LotDemand:
    asked, size = np.array([float(lot)]), np.array([order_size])
    return LotDemand(np.array([demand]), asked, size, sharpness, np.array([chance]))


def _interval(row: LotDemand, tail: float) -> tuple[float, float]:
    low, high = row.interval(np.array([tail]))
    return float(low[0]), float(high[0])


def _tail(row: LotDemand, sold: float) -> float:
    return float(row.tail(np.array([float(sold)]))[0])


def _survival(row: LotDemand, units: FloatArray) -> FloatArray:
    return pick(row, np.zeros(units.size, dtype=np.int64)).prob_at_least(units)


@st.composite
def rows(draw: Any, demand: Any = demands) -> LotDemand:  # noqa: ANN401 - hypothesis
    numbers = (order_sizes, sharpnesses, chances)
    return _row(draw(demand), draw(lots), *(draw(each) for each in numbers))


@given(row=rows(), other=lots)
def test_larger_lot_sells_no_larger_share_and_no_fewer_units(row: LotDemand, other: int) -> None:
    first, second = (
        replace(row, lot=np.array([float(lot)])) for lot in sorted((other, int(row.lot[0])))
    )
    share, wider = first.share()[0], second.share()[0]
    assert 0 <= wider <= share * (1 + ROUNDING) <= 1 + ROUNDING
    units, more = first.lot[0] * share, second.lot[0] * wider
    assert units <= more * (1 + ROUNDING)
    assert more <= row.demand[0] * (1 + ROUNDING)


@given(demand=st.floats(-30, 10).map(np.exp), sharpness=sharpnesses, order_size=order_sizes)
def test_share_of_a_lot_far_beyond_demand_is_nearly_nothing(
    demand: float, sharpness: float, order_size: float
) -> None:
    assert _row(demand, MAX_LOT, order_size, sharpness).share()[0] < 1e-4


@given(row=rows(), other=lots, tail=tails)
def test_ends_of_an_interval_fall_as_shares_and_grow_as_units_with_the_lot(
    row: LotDemand, other: int, tail: float
) -> None:
    first, second = (
        replace(row, lot=np.array([float(lot)])) for lot in sorted((other, int(row.lot[0])))
    )
    for end, wider in zip(_interval(first, tail), _interval(second, tail), strict=True):
        assert wider <= end + ROUNDING
        assert first.lot[0] * end <= second.lot[0] * wider * (1 + ROUNDING)


@given(row=rows(), first=tails, second=tails)
def test_intervals_nest_around_the_share(row: LotDemand, first: float, second: float) -> None:
    wide, narrow = (_interval(row, tail) for tail in sorted((first, second)))
    share = row.share()[0]
    assert 0 <= wide[0] <= narrow[0] <= share <= narrow[1] <= wide[1] <= 1


@given(row=rows(), tail=st.floats(0, MIN_TAIL, exclude_max=True))
def test_interval_of_next_to_no_tail_holds_the_whole_lot(row: LotDemand, tail: float) -> None:
    assert _interval(row, tail) == (0.0, 1.0)


@given(row=rows(), more=st.floats(1, 1e6), tail=tails)
def test_more_demand_moves_everything_up(row: LotDemand, more: float, tail: float) -> None:
    other = replace(row, demand=row.demand * more)
    assert other.share()[0] >= row.share()[0] * (1 - ROUNDING)
    for end, higher in zip(_interval(row, tail), _interval(other, tail), strict=True):
        assert higher >= end - ROUNDING
    units = np.array([1.0, 2.0, 10.0, float(MAX_LOT)])
    assert (_survival(other, units) >= _survival(row, units) - ROUNDING).all()


@given(row=rows(), units=st.lists(st.integers(-3, MAX_LOT), min_size=2))
def test_probability_is_a_survival_function(row: LotDemand, units: list[int]) -> None:
    wanted = np.array(sorted(units), np.float64)
    probability = _survival(row, wanted)
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (probability[wanted <= 0] == 1).all()
    assert (np.diff(probability) <= ROUNDING).all()


@given(row=rows(), lot=st.integers(1, 300))
def test_share_is_the_sum_of_the_probabilities_of_its_units(row: LotDemand, lot: int) -> None:
    """E[min(D, q)] is the sum of P(D >= t) for t = 1 to q, whatever the size of an order."""
    small = replace(row, lot=np.array([float(lot)]))
    units = _survival(small, np.arange(1.0, lot + 1)).sum()
    assert small.share()[0] * lot == pytest.approx(units, rel=1e-9, abs=1e-12)


@given(demand=usual_demands, lot=st.integers(1, 60), sharpness=sharpnesses)
def test_probability_of_single_units_lies_between_those_of_a_burr_distribution(
    demand: float, lot: int, sharpness: float
) -> None:
    def burr(units: int) -> float:
        return float((1 + (units / demand) ** sharpness) ** (-1 - 1 / sharpness))

    actual = float(_survival(_row(demand, lot, 1.0, sharpness), np.array([float(lot)]))[0])
    assert burr(lot) - ROUNDING <= actual <= burr(lot - 1) + ROUNDING


@given(
    row=rows(usual_demands),
    lot=st.integers(1, 60),
    tail=st.floats(MIN_TAIL * 2, 0.999),
)
def test_units_sold_are_inside_if_their_tail_is_large_enough(
    row: LotDemand, lot: int, tail: float
) -> None:
    """Beside these, an interval holds what lies between them and the expected share.

    Above one half no number of units may have such a tail; then the interval may hold others.
    """
    small = replace(row, lot=np.array([float(lot)]))
    sold = np.arange(lot + 1.0)
    found = pick(small, np.zeros(lot + 1, dtype=np.int64)).tail(sold)
    low, high = _interval(small, tail)
    expected = small.share()[0] * lot
    allowed = sold[found >= tail * (1 - 1e-8)]
    lower, upper = min([*allowed, expected]), max([*allowed, expected])
    inside = (sold >= low * lot - 1e-9) & (sold <= high * lot + 1e-9)
    assert inside[found >= tail].all()
    is_beyond = (sold < lower - 1e-6) | (sold > upper + 1e-6)
    assert tail > 0.5 or not inside[is_beyond].any()


@given(row=rows())
def test_tail_of_a_lot_sold_out_is_the_probability_of_at_least_the_lot(row: LotDemand) -> None:
    lot = float(row.lot[0])
    assert _tail(row, lot) == _survival(row, np.array([lot]))[0]
    assert _tail(row, 0) == pytest.approx(
        min(1.0, 1 - _survival(row, np.array([1.0]))[0]), abs=1e-15
    )


@given(row=rows(), tail=tails, sold=st.floats(0, 1))
def test_nothing_overflows_at_any_demand(row: LotDemand, tail: float, sold: float) -> None:
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        units = np.floor(sold * row.lot)
        values = [row.share(), row.tail(units), row.prob_at_least(units)]
        values += row.interval(np.array([tail]))
    assert all(np.isfinite(value).all() for value in values)


@pytest.mark.parametrize(
    ("demand", "lot", "order_size", "sharpness", "share"),
    [
        (10.0, 10, 1.0, 1.0, 0.5),
        (30.0, 10, 1.0, 1.0, 0.75),
        (10.0, 5, 6.0, 1.0, 0.5),
        (10.0, 10, float("nan"), 2.0, 0.5**0.5),
        (10.0, 10, 0.2, 2.0, 0.5**0.5),
        (5.0, 10, 1.0, 10.0, 0.5),
    ],
)
def test_share_by_hand(
    demand: float, lot: int, order_size: float, sharpness: float, share: float
) -> None:
    actual = _row(demand, lot, order_size, sharpness).share()[0]
    assert actual == pytest.approx(share, rel=1e-4)


def test_lot_of_one_sells_as_often_as_somebody_comes() -> None:
    row = _row(0.3, 1)
    assert row.share()[0] == pytest.approx(_survival(row, np.array([1.0]))[0], rel=1e-14)


@pytest.mark.parametrize("lot", [2.0**53, 1e300])
def test_lot_that_no_float_counts_ends_too(lot: float) -> None:
    low, high = _interval(_row(10.0, lot), 0.1)
    assert 0 <= low <= high <= 1


def test_rows_are_judged_apart() -> None:
    rng = np.random.default_rng(0)
    many = LotDemand(
        np.exp(rng.normal(2, 2, 50)), rng.integers(1, 500, 50).astype(float), np.ones(50), 1.5
    )
    tail = rng.uniform(0, 0.5, 50)
    low, high = many.interval(tail)
    for at in range(50):
        alone = pick(many, np.array([at])).interval(tail[[at]])
        assert (alone[0][0], alone[1][0]) == (low[at], high[at])


def test_margin_and_lot_give_the_share() -> None:
    lot, order_size = np.array([1.0, 20.0]), np.array([1.0, 5.0])
    row = LotDemand(np.array([4.0, 4.0]), lot, order_size, 2.0)
    margin = np.log(4.0) - log_lot(lot, order_size)
    np.testing.assert_array_equal(share_of_margin(margin, 2.0), row.share())


@given(row=rows(), by=drifts)
def test_better_time_moves_everything_up_and_back_again(row: LotDemand, by: float) -> None:
    better, worse = (row.drift(np.array([sign * abs(by)])) for sign in (1, -1))
    assert worse.share()[0] <= row.share()[0] * (1 + ROUNDING)
    assert row.share()[0] <= better.share()[0] * (1 + ROUNDING) <= 1 + 2 * ROUNDING
    back = row.drift(np.array([by])).drift(np.array([-by]))
    assert back.share() == pytest.approx(row.share(), rel=1e-9)


@given(row=rows(demand=usual_demands), by=drifts)
def test_drift_is_a_factor_of_demand_and_of_the_odds_of_any(row: LotDemand, by: float) -> None:
    moved = row.drift(np.array([by]))
    assert moved.demand == pytest.approx(row.demand * np.exp(by))
    chance, before = float(moved.chance[0]), float(row.chance[0])  # type: ignore[index]
    if before < 0.99:
        assert chance / (1 - chance) == pytest.approx(before / (1 - before) * np.exp(by))
    elif before == 1:
        assert chance == 1


@given(row=rows(), chance=chances)
def test_chance_of_any_demand_is_a_factor_of_all_that_is_expected(
    row: LotDemand, chance: float
) -> None:
    sure = replace(row, chance=1.0)
    some = replace(row, chance=chance)
    assert some.share() == pytest.approx(chance * sure.share())
    units = np.array([1.0, 2.0, 30.0])
    assert _survival(some, units) == pytest.approx(chance * _survival(sure, units))
