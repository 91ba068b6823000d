"""Signals: what happened, as integer measures with the time it happened and became known.

A signal's rows carry `event_time`, `available_at` and integer measures, so that sums are exact
whatever the order of addition. Rows of different tables that only count together (a unit and its
return) become known when the last of them does, and what depends on an order (first, capped)
follows the order of knowledge: then no row that becomes known later can change what was known
before. Everything that compares times stands here, in the interpreter and in the labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset import Dataset
from features.declarations import SignalName
from features.horizons import Horizons

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Signal:
    """A relation of events; its features are null where a table it needs is absent.

    `build` makes its rows with the given key columns. Where `adds_up`, the rows of a wide level
    are those of its listings, so that they need to be made only once.
    """

    needs: tuple[str, ...]
    build: Callable[[Dataset, Horizons, Keys], ir.Table]
    adds_up: bool = True


def keyed(dataset: Dataset, events: ir.Table, keys: Keys) -> ir.Table:
    """Add the keys of a level to events of listings."""
    facts = dataset.listing_facts().select("listing_id", *(k for k in keys if k != "listing_id"))
    return events.inner_join(facts, "listing_id")


def _orders(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    orders = keyed(dataset, dataset.knowable("orders"), keys)
    return orders.select(
        *keys,
        "event_time",
        "available_at",
        "units",
        "unit_price_minor",
        order_lines=ibis.literal(1, "int64"),
        revenue_minor=orders.units * orders.unit_price_minor,
    )


def order_lines_with_end(dataset: Dataset, horizons: Horizons) -> ir.Table:
    """Return order lines with the end of their return window, `over_at`.

    `known_at` is when line and delivery are both known. Where the data have deliveries, a line
    not delivered has no end yet and is left out; else the assumed days stand in.
    """
    orders = dataset.knowable("orders")
    window = ibis.interval(days=horizons.return_window_days)
    if not dataset.has("deliveries"):
        assumed = ibis.interval(days=horizons.assumed_delivery_days)
        over_at = orders.event_time + assumed + window
        return orders.mutate(over_at=over_at, known_at=orders.available_at)
    deliveries = dataset.knowable("deliveries").select(
        "order_line_id", delivered_at="event_time", delivery_known_at="available_at"
    )
    lines = orders.inner_join(deliveries, "order_line_id")
    return lines.mutate(
        over_at=lines.delivered_at + window,
        known_at=ibis.greatest(lines.available_at, lines.delivery_known_at),
    )


def returns_within_window(dataset: Dataset, lines: ir.Table) -> ir.Table:
    """Return the returns that came within the window of their line, with the line's columns."""
    returned = dataset.knowable("returns").select(
        "order_line_id",
        returned_at="event_time",
        return_known_at="available_at",
        returned_units="units",
    )
    joined = lines.inner_join(returned, "order_line_id")
    return joined.filter(joined.returned_at <= joined.over_at)


def _ripe_units(dataset: Dataset, horizons: Horizons, keys: Keys) -> ir.Table:
    lines = keyed(dataset, order_lines_with_end(dataset, horizons), keys)
    returned = returns_within_window(dataset, lines)
    ripe = lines.select(
        *keys,
        event_time=lines.over_at,
        available_at=ibis.greatest(lines.known_at, lines.over_at),
        units_ripe=lines.units,
        units_returned=ibis.literal(0, "int64"),
    )
    back = returned.select(
        *keys,
        event_time=returned.over_at,
        available_at=ibis.greatest(returned.known_at, returned.return_known_at, returned.over_at),
        units_ripe=ibis.literal(0, "int64"),
        units_returned=returned.returned_units,
    )
    return ripe.union(back)


def _first_purchases(dataset: Dataset, horizons: Horizons, keys: Keys) -> ir.Table:
    orders = keyed(dataset, dataset.knowable("orders"), keys)
    orders = orders.filter(orders.buyer_key.notnull())
    buyer = (*keys, "buyer_key")
    known_order = ibis.row_number().over(
        group_by=buyer, order_by=("available_at", "event_time", "order_line_id")
    )
    first = orders.mutate(position=known_order).filter(ibis._.position == 0)
    first = first.select(
        *buyer,
        first_order_id="order_id",
        first_at="event_time",
        first_known_at="available_at",
        over_at=first.event_time + ibis.interval(days=horizons.repurchase_window_days),
    )
    again = orders.inner_join(first, buyer)
    again = again.filter(
        again.order_id != again.first_order_id,
        again.event_time > again.first_at,
        again.event_time <= again.over_at,
    )
    repeated = again.group_by(*buyer, "over_at").agg(known_at=again.available_at.min())
    buyers = first.select(
        *keys,
        event_time=first.over_at,
        available_at=ibis.greatest(first.first_known_at, first.over_at),
        buyers_ripe=ibis.literal(1, "int64"),
        buyers_repeated=ibis.literal(0, "int64"),
    )
    return buyers.union(
        repeated.select(
            *keys,
            event_time=repeated.over_at,
            available_at=ibis.greatest(repeated.known_at, repeated.over_at),
            buyers_ripe=ibis.literal(0, "int64"),
            buyers_repeated=ibis.literal(1, "int64"),
        )
    )


def _offers(dataset: Dataset) -> ir.Table:
    """Return stock observations with the units they put on sale."""
    stock = dataset.knowable("stock")
    return stock.select(
        "listing_id",
        "event_time",
        "available_at",
        units_offered=stock.on_hand_units + stock.inbound_units,
    )


def _lots(dataset: Dataset, horizons: Horizons, keys: Keys) -> ir.Table:
    offers = _offers(dataset)
    horizon = ibis.interval(days=horizons.horizon_days)
    lots = offers.filter(offers.units_offered > 0).select(
        "listing_id",
        "units_offered",
        offered_at="event_time",
        offer_known_at="available_at",
        over_at=offers.event_time + horizon,
    )
    offered = lots.select(
        "listing_id",
        event_time=lots.over_at,
        available_at=ibis.greatest(lots.offer_known_at, lots.over_at),
        units_offered=lots.units_offered,
        units_sold=ibis.literal(0, "int64"),
    )
    rows = keyed(dataset, offered.union(_sold_of(dataset, lots)), keys)
    return rows.group_by(*keys, "event_time", "available_at").agg(
        units_offered=rows.units_offered.sum().cast("int64"),
        units_sold=rows.units_sold.sum().cast("int64"),
    )


def _sold_of(dataset: Dataset, lots: ir.Table) -> ir.Table:
    """Split each lot's sales into what each order added, in the order of knowledge.

    The parts known at a moment add up to `min(units offered, units ordered as known then)`.
    """
    orders = dataset.knowable("orders").select(
        "listing_id", "order_line_id", "event_time", "available_at", "units"
    )
    sold = lots.inner_join(orders, "listing_id")
    sold = sold.filter(sold.event_time > sold.offered_at, sold.event_time <= sold.over_at)
    so_far = sold.units.sum().over(
        group_by=("listing_id", "offered_at", "offer_known_at"),
        order_by=("available_at", "event_time", "order_line_id"),
        rows=(None, 0),
    )
    sold = sold.mutate(so_far=so_far.cast("int64"))
    return sold.select(
        "listing_id",
        event_time=sold.over_at,
        available_at=ibis.greatest(sold.offer_known_at, sold.available_at, sold.over_at),
        units_offered=ibis.literal(0, "int64"),
        units_sold=ibis.least(sold.so_far, sold.units_offered)
        - ibis.least(sold.so_far - sold.units, sold.units_offered),
    )


def _listing_starts(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    listings = dataset.tables["listings"].select(
        "listing_id", event_time="listed_at", available_at="listed_at"
    )
    return keyed(dataset, listings, keys).select(
        *keys, "event_time", "available_at", listings=ibis.literal(1, "int64")
    )


def _prices(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    prices = dataset.tables["listings"].select(
        "listing_id",
        event_time="listed_at",
        available_at="listed_at",
        price_minor="list_price_minor",
    )
    if dataset.has("prices"):
        changes = dataset.knowable("prices")
        prices = prices.union(changes.select(*prices.columns))
    return keyed(dataset, prices, keys).select(*keys, "event_time", "available_at", "price_minor")


def _stock(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    return keyed(dataset, _offers(dataset), keys).select(
        *keys, "event_time", "available_at", "units_offered"
    )


SIGNALS: Final[dict[SignalName, Signal]] = {
    SignalName.ORDERS: Signal(("orders",), _orders),
    SignalName.RIPE_UNITS: Signal(("orders", "returns"), _ripe_units),
    SignalName.FIRST_PURCHASES: Signal(("orders",), _first_purchases, adds_up=False),
    SignalName.LOTS: Signal(("orders", "stock"), _lots),
    SignalName.LISTING_STARTS: Signal(("listings",), _listing_starts),
    SignalName.PRICES: Signal(("listings",), _prices),
    SignalName.STOCK: Signal(("stock",), _stock),
}
