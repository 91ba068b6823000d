"""Boundaries of signals of orders, lots and prices, to the microsecond, in hand-written markets."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest

from features.point_in_time.interpreter import level_values
from features.point_in_time.signal_rows import build_lazy_rows
from features.point_in_time.spine import DECISION_FEATURES
from tests.worlds.random_markets import HORIZONS, Engine
from tests.worlds.written import AS_OF, BOUGHT, DAY, TICK, event, market, order, value

HORIZON = pd.Timedelta(days=HORIZONS.horizon_days)
RETURN = pd.Timedelta(days=HORIZONS.return_window_days)
AGAIN = pd.Timedelta(days=HORIZONS.repurchase_window_days)
DELIVERY = pd.Timedelta(days=HORIZONS.assumed_delivery_days)
ONE_DAY, WEEK = pd.Timedelta(days=1), pd.Timedelta(days=7)


@pytest.mark.parametrize(
    ("at", "known", "counted"),
    [
        (AS_OF, AS_OF, 1.0),
        (AS_OF + TICK, AS_OF + TICK, 0.0),
        (AS_OF, AS_OF + TICK, 0.0),
        (AS_OF - pd.Timedelta(days=28), AS_OF, 0.0),
        (AS_OF - pd.Timedelta(days=28) + TICK, AS_OF, 1.0),
        (AS_OF - pd.Timedelta(days=1), pd.NaT, 0.0),
    ],
)
def test_window_counts_an_order_known_by_as_of_and_within_its_days(
    at: pd.Timestamp, known: pd.Timestamp, counted: float
) -> None:
    frames = market(orders=[order(at, known=known)])
    assert value(frames, "units_ordered_28d") == counted


@pytest.mark.parametrize(
    ("returned_at", "units"),
    [(BOUGHT + DELIVERY + RETURN, 2.0), (BOUGHT + DELIVERY + RETURN + TICK, 0.0)],
)
def test_return_counts_until_the_window_is_over(returned_at: pd.Timestamp, units: float) -> None:
    frames = market(
        orders=[order(BOUGHT, order_line_id="L", units=3)],
        returns=[event(returned_at, order_line_id="L", units=2)],
    )
    assert value(frames, "units_returned_180d") == units
    assert value(frames, "units_ripe_180d") == 3.0


@pytest.mark.parametrize(
    ("bought", "mature"),
    [
        (AS_OF - DELIVERY - RETURN, 1.0),
        (AS_OF - DELIVERY - RETURN + TICK, 0.0),
    ],
)
def test_unit_is_mature_once_its_return_window_is_over(bought: pd.Timestamp, mature: float) -> None:
    assert value(market(orders=[order(bought)]), "units_ripe_180d") == mature


@pytest.mark.parametrize(
    ("bought", "is_open"),
    [
        (AS_OF - DELIVERY, 1.0),
        (AS_OF - DELIVERY + TICK, 0.0),
        (AS_OF - DELIVERY - RETURN + TICK, 1.0),
        (AS_OF - DELIVERY - RETURN, 0.0),
    ],
)
def test_unit_is_open_from_delivery_to_the_end_of_its_window(
    bought: pd.Timestamp, is_open: float
) -> None:
    frames = market(
        orders=[order(bought, order_line_id="L")],
        returns=[event(AS_OF, order_line_id="L", units=1)],
    )
    assert value(frames, "units_open_180d") == is_open
    assert value(frames, "units_open_returned_180d") == is_open


@pytest.mark.parametrize(
    ("bought", "counted"),
    [(AS_OF - DELIVERY - WEEK, 0.0), (AS_OF - DELIVERY - WEEK + TICK, 1.0)],
)
def test_open_unit_is_as_old_as_its_delivery(bought: pd.Timestamp, counted: float) -> None:
    frames = market(orders=[order(bought)])
    assert value(frames, "units_open_7d") == counted
    assert value(frames, "units_open_14d") == 1.0


@pytest.mark.parametrize(
    ("at", "known", "units"),
    [
        (AS_OF - ONE_DAY, AS_OF, 2.0),
        (AS_OF - ONE_DAY, AS_OF + TICK, 0.0),
        (AS_OF + TICK, AS_OF, 0.0),
    ],
)
def test_return_of_an_open_unit_counts_once_it_is_known(
    at: pd.Timestamp, known: pd.Timestamp, units: float
) -> None:
    frames = market(
        orders=[order(AS_OF - DELIVERY - ONE_DAY, order_line_id="L", units=3)],
        returns=[event(at, known=known, order_line_id="L", units=2)],
    )
    assert value(frames, "units_open_returned_180d") == units
    assert value(frames, "units_open_180d") == 3.0


@pytest.mark.parametrize(
    ("delivered", "known", "returned", "open_and_back"),
    [
        pytest.param(AS_OF - RETURN, AS_OF, AS_OF, (0.0, 0.0), id="known when it is mature"),
        pytest.param(AS_OF - WEEK, AS_OF + TICK, AS_OF, (0.0, 0.0), id="not known yet"),
        pytest.param(AS_OF + TICK, AS_OF, AS_OF, (0.0, 0.0), id="not delivered yet"),
        pytest.param(AS_OF - ONE_DAY, AS_OF, AS_OF - WEEK, (3.0, 2.0), id="back before it came"),
    ],
)
def test_open_units_of_late_and_early_rows(
    delivered: pd.Timestamp,
    known: pd.Timestamp,
    returned: pd.Timestamp,
    open_and_back: tuple[float, float],
) -> None:
    frames = market(
        orders=[order(BOUGHT, order_line_id="L", units=3)],
        deliveries=[event(delivered, known=known, order_line_id="L")],
        returns=[event(returned, order_line_id="L", units=2)],
    )
    names = ("units_open_180d", "units_open_returned_180d")
    assert tuple(value(frames, name) for name in names) == open_and_back


def test_unit_not_delivered_is_never_mature_if_deliveries_are_known() -> None:
    lines = [order(BOUGHT, order_line_id="A"), order(BOUGHT + TICK, order_line_id="B")]
    frames = market(orders=lines, deliveries=[event(BOUGHT + DELIVERY, order_line_id="A")])
    assert value(frames, "units_ripe_180d") == 1.0


@pytest.mark.parametrize(
    ("second", "repeated"),
    [
        ({"at": BOUGHT + AGAIN}, 1.0),
        ({"at": BOUGHT + AGAIN + TICK}, 0.0),
        ({"at": BOUGHT + TICK, "order_id": "first"}, 0.0),
        ({"at": BOUGHT + TICK, "buyer_key": "C"}, 0.0),
        ({"at": BOUGHT + TICK, "listing_id": "GB-P0"}, 0.0),
        ({"at": BOUGHT + TICK, "known": AS_OF + TICK}, 0.0),
    ],
)
def test_buyer_repeats_with_another_order_of_the_same_within_the_window(
    second: dict[str, pd.Timestamp], repeated: float
) -> None:
    at = second.pop("at")
    frames = market(orders=[order(BOUGHT, order_id="first"), order(at, **second)])
    assert value(frames, "buyers_repeated_180d") == repeated


def test_buyer_of_the_product_in_another_market_has_not_come_back() -> None:
    frames = market(orders=[order(BOUGHT), order(BOUGHT + TICK, listing_id="GB-P0")])
    assert value(frames, "buyers_ripe_product_180d") == 2.0
    assert value(frames, "buyers_repeated_product_180d") == 0.0


def test_first_purchase_is_the_one_known_first() -> None:
    late = order(BOUGHT - pd.Timedelta(days=5), known=AS_OF)
    frames = market(orders=[late, order(BOUGHT), order(BOUGHT + pd.Timedelta(days=2))])
    assert value(frames, "buyers_repeated_180d") == 1.0


@pytest.mark.parametrize(
    ("ordered_at", "sold"),
    [
        (BOUGHT, 0.0),
        (BOUGHT + TICK, 5.0),
        (BOUGHT + HORIZON, 5.0),
        (BOUGHT + HORIZON + TICK, 0.0),
    ],
)
def test_lot_sells_within_its_horizon(ordered_at: pd.Timestamp, sold: float) -> None:
    frames = market(
        stock=[event(BOUGHT, listing_id="US-P0", on_hand_units=6, inbound_units=1)],
        orders=[order(ordered_at, units=5)],
    )
    assert value(frames, "units_sold_180d") == sold
    assert value(frames, "units_offered_180d") == 7.0


def test_lot_sells_no_more_than_it_offers() -> None:
    frames = market(
        stock=[event(BOUGHT, listing_id="US-P0", on_hand_units=6, inbound_units=0)],
        orders=[order(BOUGHT + i * TICK, units=4) for i in (1, 2, 3)],
    )
    assert value(frames, "units_sold_180d") == 6.0


def test_latest_paid_price_is_that_of_the_last_order_known() -> None:
    orders = [
        order(BOUGHT, unit_price_minor=500),
        order(BOUGHT + TICK, unit_price_minor=300),
        order(AS_OF, known=AS_OF + TICK, unit_price_minor=900),
    ]
    assert value(market(orders=orders), "latest_paid_price_minor") == 300.0


def test_list_price_of_a_decision_is_the_last_change_known() -> None:
    changes = [
        event(BOUGHT, listing_id="US-P0", price_minor=500),
        event(BOUGHT + TICK, listing_id="US-P0", price_minor=300),
        event(AS_OF, listing_id="US-P0", price_minor=900) | {"available_at": AS_OF + TICK},
    ]
    engine = Engine(market(prices=changes))
    keys = ibis.memtable(pd.DataFrame({"listing_id": ["US-P0"], "as_of_day": [DAY]}))
    decided = level_values(build_lazy_rows(engine.dataset, HORIZONS), DECISION_FEATURES, keys)
    assert engine.connection.execute(decided).list_price_minor.tolist() == [300.0]
