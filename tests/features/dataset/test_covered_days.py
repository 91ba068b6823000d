"""The days that rows cover: a few far rows, alone or spread, don't move their ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.dataset.as_of import BeforeAllDataError, resolve_as_of
from features.dataset.covered_days import (
    FAR_SHARE,
    MIN_RESUMED_ROWS,
    MIN_WINDOW_DAYS,
    CoveredDays,
    DailyRows,
    find_covered_days,
)
from features.dataset.days import DaySpan, as_of_to_day
from features.monitoring.freshness import compute_age, find_arrivals
from features.point_in_time.spine import listing_days
from features.runtime.arrays import IntArray
from features.validation.far_values import TYPICAL_SHARE
from tests.worlds.random_markets import HORIZONS, Engine, random_world

FIRST, LAST = 20_000, 20_299
FAR_FUTURE, FAR_PAST = 47_481, 10_957  # 2099-12-31 and 2000-01-01
RNG = np.random.default_rng(0)

STEADY = np.repeat(np.arange(FIRST, LAST + 1), 90)
SMALL = np.arange(FIRST, LAST + 1, 5)
MONTHLY = np.repeat(np.arange(FIRST, FIRST + 3000, 30), 40)
HOLIDAY = STEADY[(STEADY < LAST - 35) | (STEADY > LAST - 3)]
RAMP_UP = np.repeat(np.arange(FIRST, LAST + 1), np.arange(1, LAST - FIRST + 2))


STOCK_OUT = np.concatenate(
    [STEADY[STEADY < LAST - 99], np.repeat(np.arange(LAST - 59, LAST + 1), 5)]
)
YEARS = np.repeat(np.arange(FIRST, FIRST + 1000), 90)


def count_daily(days: IntArray) -> DailyRows:
    distinct, rows = np.unique(days, return_counts=True)
    return DailyRows(distinct, rows)


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (STEADY, "the same every day"),
        (SMALL, "an order every five days"),
        (MONTHLY, "an export a month"),
        (RAMP_UP, "a shop that grows"),
        (RAMP_UP[::-1] * -1 + FIRST + LAST, "a shop that shrinks"),
        (STEADY[STEADY % 7 < 5], "closed at weekends"),
        (HOLIDAY, "three days after a long holiday"),
        (HOLIDAY[::-1] * -1 + FIRST + LAST, "three days before a long holiday"),
        (STOCK_OUT, "slow sales after a stock-out"),
        (np.repeat([FIRST, LAST], [49, 3]), "rules that change once in a while"),
        (np.array([FIRST]), "one row"),
        (np.array([FIRST] * 500), "one day"),
    ],
)
def test_all_days_are_covered(days: IntArray, kind: str) -> None:
    covered = find_covered_days(count_daily(days))
    assert covered == CoveredDays(DaySpan(int(days.min()), int(days.max()))), kind


@pytest.mark.parametrize(
    ("days", "before", "after", "kind"),
    [
        (STEADY, [], [FAR_FUTURE] * 100, "2099"),
        (STEADY, [], [FAR_FUTURE] * 500, "2099, more than one in a hundred"),
        (STEADY, [], [FAR_FUTURE] * 1350, "2099, five in a hundred"),
        (SMALL, [], [FAR_FUTURE] * 3, "a small shop, five in a hundred"),
        (STEADY, [], [LAST + 90], "a quarter late"),
        (STEADY, [], range(LAST + 20, LAST + 320, 3), "spread over the next year"),
        (STEADY, [], RNG.integers(LAST + 30, FAR_FUTURE, 300), "spread over the century"),
        (STEADY, [FAR_PAST] * 100, [], "2000"),
        (STEADY, range(FIRST - 320, FIRST - 20, 3), [], "spread over the year before"),
        (STEADY, [FAR_PAST], [FAR_FUTURE], "at both ends"),
        (SMALL, [], [FAR_FUTURE], "a small shop"),
        (SMALL, [FAR_PAST], [FAR_FUTURE], "a small shop, at both ends"),
        (MONTHLY, [], [FAR_FUTURE] * 9, "an export a month"),
        (RAMP_UP, [FAR_PAST] * 9, [FAR_FUTURE] * 9, "a shop that grows"),
        (STEADY[STEADY % 7 < 5], [], [FAR_FUTURE] * 9, "closed at weekends"),
    ],
)
def test_far_rows_are_outside(
    days: IntArray, before: list[int], after: list[int], kind: str
) -> None:
    far = np.concatenate([before, days, after]).astype(np.int64)
    expected = DaySpan(int(days.min()), int(days.max()))
    covered = find_covered_days(count_daily(far))
    assert covered == CoveredDays(expected, len(before), len(after)), kind


def test_a_check_warns_of_as_many_far_rows_as_are_left_out() -> None:
    assert pytest.approx(1 - TYPICAL_SHARE) == FAR_SHARE


def test_exchanged_months_and_days_reach_no_further_than_a_window() -> None:
    exchanged = np.repeat(np.arange(FIRST + 1000, FIRST + 1330), 3)
    covered = find_covered_days(count_daily(np.concatenate([YEARS, exchanged])))
    assert covered.span.last <= FIRST + 999 + MIN_WINDOW_DAYS


@given(
    st.lists(st.integers(10, 200), min_size=60, max_size=200),
    st.lists(st.integers(FAR_PAST, FAR_FUTURE), max_size=MIN_RESUMED_ROWS - 1),
)
def test_a_few_rows_anywhere_move_no_end_outwards(rows: list[int], far: list[int]) -> None:
    days = np.repeat(np.arange(FIRST, FIRST + len(rows)), rows)
    last = FIRST + len(rows) - 1
    near = [day for day in far if FIRST - 30 <= day <= last + 30]
    covered = find_covered_days(count_daily(np.concatenate([days, far]).astype(np.int64)))
    assert covered.span == DaySpan(min([FIRST, *near]), max([last, *near])) or near


def spoil(orders: pd.DataFrame, far: str, rows: int) -> pd.DataFrame:
    """Return orders, the first of which became known at another time."""
    moment = pd.Timestamp(far)
    changed = orders.copy()
    changed.loc[: rows - 1, "available_at"] = moment
    happened = changed.loc[: rows - 1, "event_time"]
    changed.loc[: rows - 1, "event_time"] = happened.where(happened <= moment, moment)
    return changed


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(random_world(3, orders=600))


@pytest.mark.parametrize("far", ["2099-12-31", "2030-02-01", "2000-01-01"])
@pytest.mark.parametrize("rows", [1, 9])
def test_far_orders_decide_no_day(engine: Engine, far: str, rows: int) -> None:
    expected = _decided_days(engine)
    orders = engine.frames["orders"]
    kept = orders.drop(index=range(rows)).reset_index(drop=True)
    spoilt = Engine({**engine.frames, "orders": spoil(orders, far, rows)})
    assert _decided_days(spoilt) == _decided_days(Engine({**engine.frames, "orders": kept}))
    assert abs(_decided_days(spoilt)["cut-off"] - expected["cut-off"]) <= 1
    covered = spoilt.dataset.order_days().covered
    assert covered.rows_before + covered.rows_after == rows


def _decided_days(engine: Engine) -> dict[str, int]:
    """Return every day that the times of orders decide."""
    dataset = engine.dataset
    cut_off = dataset.cut_off_day()
    moments = dataset.connection.execute(listing_days(dataset, HORIZONS))["as_of_day"]
    (orders,) = (one for one in find_arrivals(dataset, FAR_FUTURE) if one.table == "orders")
    with pytest.raises(BeforeAllDataError) as refused:
        resolve_as_of(dataset, "2000-01-02")
    return {
        "cut-off": cut_off,
        "first moment": int(moments.min()),
        "last moment": int(moments.max()),
        "moments": len(moments),
        "as of": as_of_to_day(resolve_as_of(dataset, None)),
        "first as of": int(str(refused.value.hint).split()[1].replace("-", "")),
        "newest order": orders.days[-1],
        "limit of age": compute_age(orders, FAR_FUTURE).limit or 0,
    }
