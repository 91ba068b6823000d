"""Each kind of feature against values computed by hand: ranks, ties, nulls, left-out events."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.declarations.functions import gap
from features.declarations.kinds import (
    Age,
    BaseFeature,
    Distinct,
    Elapsed,
    FeatureFamily,
    Highest,
    Latest,
    SignalName,
    Windowed,
)
from features.declarations.levels import Level
from tests.worlds.written import AS_OF, BOUGHT, TICK, Rows, compute_value, event, market, order

DAYS = pd.Timedelta(days=1)
NULL = math.nan
ABOUT: dict[str, Any] = {
    "name": "tested",
    "description": "The tested feature.",
    "unit": "units",
    "family": FeatureFamily.DEMAND,
    "level": Level.LISTING,
}
OF_ORDERS = {**ABOUT, "signal": SignalName.ORDERS}
UNITS = {**OF_ORDERS, "measure": "units"}
SOLD_OUTS = {**ABOUT, "signal": SignalName.STOCK, "measure": "sold_outs"}


def list_orders(*units: int) -> Rows:
    """Return an order line for each number of units, a microsecond apart."""
    return [order(BOUGHT + i * TICK, units=n) for i, n in enumerate(units)]


@pytest.mark.parametrize(
    ("buyers", "count"), [(["A", "A", "B"], 2.0), (["A", None], 1.0), ([None], 0.0), ([], 0.0)]
)
def test_distinct_values_count_once_and_null_never(buyers: list[str | None], count: float) -> None:
    feature = Distinct(**OF_ORDERS, column="buyer_key", days=84)
    lines = [order(BOUGHT + i * TICK, buyer_key=name) for i, name in enumerate(buyers)]
    assert compute_value(market(orders=lines), feature) == count


@pytest.mark.parametrize(
    ("days_ago", "highest"),
    [([1, 2], 2.0), ([2, 1], 2.0), ([84, 1], 2.0), ([84], NULL), ([], NULL)],
)
def test_highest_is_that_of_the_window(days_ago: list[int], highest: float) -> None:
    lines = [order(AS_OF - ago * DAYS, units=i + 1) for i, ago in enumerate(days_ago)]
    most = Highest(**UNITS, days=84)
    assert compute_value(market(orders=lines), most) == pytest.approx(highest, nan_ok=True, abs=0)


@pytest.mark.parametrize(
    ("on_hand", "elapsed", "age"),
    [
        ([0, 0, 4], 49.0, 50.0),
        ([4, 0, 0], 48.0, 49.0),
        ([4, 0, 4], 49.0, 49.0),
        ([4, 4, 4], NULL, NULL),
        ([], NULL, NULL),
    ],
)
def test_elapsed_and_age_look_at_events_with_a_positive_measure(
    on_hand: list[int], elapsed: float, age: float
) -> None:
    stock = [
        event(BOUGHT + i * DAYS, listing_id="US-P0", on_hand_units=units, inbound_units=0)
        for i, units in enumerate(on_hand)
    ]
    frames = market(stock=stock)
    last = compute_value(frames, Elapsed(**SOLD_OUTS))
    first = compute_value(frames, Age(**SOLD_OUTS))
    assert last == pytest.approx(elapsed, nan_ok=True, abs=0)
    assert first == pytest.approx(age, nan_ok=True, abs=0)


@pytest.mark.parametrize(
    ("at", "days"),
    [(AS_OF, 0.0), (AS_OF - TICK, 0.0), (AS_OF - DAYS, 1.0), (AS_OF - DAYS + TICK, 0.0)],
)
def test_elapsed_days_are_whole(at: pd.Timestamp, days: float) -> None:
    feature = Elapsed(**UNITS)
    assert compute_value(market(orders=[order(at)]), feature) == days


@pytest.mark.parametrize(
    ("lines", "price"),
    [
        ([(BOUGHT, BOUGHT, 5), (BOUGHT + TICK, BOUGHT + TICK, 3)], 3.0),
        ([(BOUGHT, AS_OF, 5), (BOUGHT + TICK, BOUGHT + TICK, 3)], 3.0),
        ([(BOUGHT, AS_OF, 3), (BOUGHT, BOUGHT, 5)], 3.0),
        ([(BOUGHT, BOUGHT, 3), (BOUGHT, BOUGHT, 5)], 5.0),
        ([(BOUGHT, BOUGHT, 3), (AS_OF, AS_OF + TICK, 5)], 3.0),
        ([(AS_OF, AS_OF + TICK, 5)], NULL),
    ],
)
def test_latest_is_what_happened_last_then_what_was_known_last_then_the_larger(
    lines: list[tuple[pd.Timestamp, pd.Timestamp, int]], price: float
) -> None:
    feature = Latest(**OF_ORDERS, measure="unit_price_minor")
    orders = [
        order(at, known=known, order_line_id=f"L{i}", unit_price_minor=paid)
        for i, (at, known, paid) in enumerate(lines)
    ]
    value = compute_value(market(orders=orders), feature)
    assert value == pytest.approx(price, nan_ok=True, abs=0)


@pytest.mark.parametrize(
    ("required", "met", "expected"),
    [(0.0, np.nan, 0.0), (0.0, 0.2, 0.0), (1.0, 0.25, 0.75), (1.0, np.nan, np.nan)],
)
def test_gap_is_none_where_nothing_is_required(
    required: float, met: float, expected: float
) -> None:
    assert gap(np.array([required]), np.array([met])) == pytest.approx([expected], nan_ok=True)


OPEN = {**ABOUT, "signal": SignalName.OPEN_UNITS, "measure": "units_open"}


@pytest.mark.parametrize(
    ("feature", "while_open"),
    [
        (Windowed(**OPEN, days=84), 3.0),
        (Latest(**OPEN), 3.0),
        (Elapsed(**OPEN), 9.0),
        (Age(**OPEN), 9.0),
        (Highest(**OPEN, days=84), 3.0),
    ],
    ids=lambda feature: type(feature).__name__,
)
def test_no_kind_sees_an_event_that_is_over(feature: BaseFeature, while_open: float) -> None:
    line = order(AS_OF - 60 * DAYS, order_line_id="L", units=3)
    values = {
        days: compute_value(
            market(
                orders=[line],
                deliveries=[event(AS_OF - days * DAYS, order_line_id="L")],
                returns=[event(AS_OF, known=AS_OF + TICK, order_line_id="L", units=1)],
            ),
            feature,
        )
        for days in (9, 10)
    }
    assert values[9] == while_open
    assert values[10] == 0.0 or math.isnan(values[10])
