"""Signals of orders: units and revenue, returns, and repurchases."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.signals.cancellations import believed_lines, join_returns
from features.signals.signal import Keys, add_level_keys, count_one, count_zero


def orders(dataset: Dataset, horizons: Horizons, keys: Keys) -> ir.Table:
    """Return order lines as they were believed until a cancellation was known.

    `creator_units` counts the units that were ordered through a creator.
    """
    lines = add_level_keys(dataset, believed_lines(dataset, horizons), keys)
    return lines.select(
        *keys,
        *(name for name in ("listing_id", "buyer_key") if name not in keys),
        "event_time",
        "available_at",
        *(name for name in ("ends_at",) if name in lines.columns),
        "units",
        "unit_price_minor",
        order_lines=count_one(),
        revenue_minor=lines.units * lines.unit_price_minor,
        creator_units=ibis.ifelse(lines.creator_id.notnull(), lines.units, 0),
    )


def order_lines_with_end(dataset: Dataset, horizons: Horizons) -> ir.Table:
    """Return order lines with the end of their return window, `over_at`.

    `known_at` is the time at which line and delivery are both known. If the data have deliveries,
    a line without one is left out, since its window has no end yet. If they have none, the assumed
    number of delivery days is used.
    """
    lines = dataset.knowable_rows("orders")
    window = ibis.interval(days=horizons.return_window_days)
    if not dataset.has("deliveries"):
        assumed = ibis.interval(days=horizons.assumed_delivery_days)
        over_at = lines.event_time + assumed + window
        return lines.mutate(over_at=over_at, known_at=lines.available_at)
    deliveries = dataset.knowable_rows("deliveries").select(
        "order_line_id", delivered_at="event_time", delivery_known_at="available_at"
    )
    lines = lines.inner_join(deliveries, "order_line_id")
    return lines.mutate(
        over_at=lines.delivered_at + window,
        known_at=ibis.greatest(lines.available_at, lines.delivery_known_at),
    )


def returns_within_window(dataset: Dataset, horizons: Horizons, lines: ir.Table) -> ir.Table:
    """Return the returns within the window of their order line, with the columns of the line."""
    rows = join_returns(dataset, horizons, lines)
    return rows.filter(rows.returned_at <= rows.over_at)


def mature_units(dataset: Dataset, horizons: Horizons, keys: Keys) -> ir.Table:
    """Return units whose return window is over, and the returned ones among them."""
    lines = add_level_keys(dataset, order_lines_with_end(dataset, horizons), keys)
    returns = returns_within_window(dataset, horizons, lines)
    mature = lines.select(
        *keys,
        event_time=lines.over_at,
        available_at=ibis.greatest(lines.known_at, lines.over_at),
        units_ripe=lines.units,
        units_returned=count_zero(),
    )
    returned = returns.select(
        *keys,
        event_time=returns.over_at,
        available_at=ibis.greatest(returns.known_at, returns.return_known_at, returns.over_at),
        units_ripe=-returns.cancelled_units,
        units_returned=returns.returned_units,
    )
    return mature.union(returned)


def open_units(dataset: Dataset, horizons: Horizons, keys: Keys) -> ir.Table:
    """Return delivered units while their return window is open, and the returned ones among them.

    Each row has the time of delivery as `event_time`, and ends when `mature_units` counts it.
    """
    lines = order_lines_with_end(dataset, horizons)
    lines = lines.mutate(arrived_at=lines.over_at - ibis.interval(days=horizons.return_window_days))
    lines = add_level_keys(dataset, lines, keys)
    returns = returns_within_window(dataset, horizons, lines)
    return_known_at = ibis.greatest(returns.known_at, returns.return_known_at)
    arrived = lines.select(
        *keys,
        event_time=lines.arrived_at,
        available_at=lines.known_at,
        ends_at=ibis.greatest(lines.known_at, lines.over_at),
        units_open=lines.units,
        units_open_returned=count_zero(),
    )
    returned = returns.select(
        *keys,
        event_time=returns.arrived_at,
        available_at=ibis.greatest(return_known_at, returns.returned_at),
        ends_at=ibis.greatest(return_known_at, returns.over_at),
        units_open=-returns.cancelled_units,
        units_open_returned=returns.returned_units,
    )
    return arrived.union(returned)


def returned_parcels(dataset: Dataset, horizons: Horizons, keys: Keys) -> ir.Table:
    """Return units at the time they came back, whether their return window is over or not."""
    lines = dataset.knowable_rows("orders").select(
        "order_line_id", "listing_id", "creator_id", "event_time", line_known_at="available_at"
    )
    returned = join_returns(dataset, horizons, lines).filter(ibis._.returned_units > 0)
    parcels = add_level_keys(dataset, returned, keys)
    return parcels.select(
        *keys,
        event_time=parcels.returned_at,
        units_back=parcels.returned_units,
        available_at=ibis.greatest(parcels.line_known_at, parcels.return_known_at),
    )


def first_purchases(dataset: Dataset, horizons: Horizons, keys: Keys) -> ir.Table:
    """Return buyers at the end of their repurchase window, and those who bought again within it.

    The first purchase of a buyer is the one that became known first. A purchase that happened
    before it is no repeat, even if it becomes known later; with late data a few repeats are missed.
    """
    lines = add_level_keys(dataset, dataset.knowable_rows("orders"), keys)
    lines = lines.filter(lines.buyer_key.notnull())
    buyer = (*keys, "buyer_key")
    known_order = ibis.row_number().over(
        group_by=buyer, order_by=("available_at", "event_time", "order_line_id")
    )
    first = lines.mutate(position=known_order).filter(ibis._.position == 0)
    first = first.select(
        *buyer,
        first_order_id="order_id",
        first_at="event_time",
        first_known_at="available_at",
        over_at=first.event_time + ibis.interval(days=horizons.repurchase_window_days),
    )
    buyers = first.select(
        *keys,
        event_time=first.over_at,
        available_at=ibis.greatest(first.first_known_at, first.over_at),
        buyers_ripe=count_one(),
        buyers_repeated=count_zero(),
    )
    return buyers.union(_repeats(lines, first, buyer).select(*buyers.columns))


def _repeats(lines: ir.Table, first: ir.Table, buyer: Keys) -> ir.Table:
    """Return for each buyer the repeat within the window that became known first."""
    again = lines.inner_join(first, buyer)
    again = again.filter(
        again.order_id != again.first_order_id,
        again.event_time > again.first_at,
        again.event_time <= again.over_at,
    )
    known_order = ibis.row_number().over(
        group_by=buyer, order_by=("available_at", "event_time", "order_line_id")
    )
    again = again.mutate(position=known_order).filter(ibis._.position == 0)
    return again.mutate(
        event_time=again.over_at,
        available_at=ibis.greatest(again.available_at, again.first_known_at, again.over_at),
        buyers_ripe=count_zero(),
        buyers_repeated=count_one(),
    )


MICROSECONDS_PER_DAY: Final = 86_400_000_000


def count_started_days(start: ir.TimestampValue, stop: ir.TimestampValue) -> ir.IntegerValue:
    """Return the days from one naive time to a later one; a started day counts as a whole day."""
    micros = count_microseconds(start, stop)
    return ((micros + MICROSECONDS_PER_DAY - 1) // MICROSECONDS_PER_DAY).cast("int64")


def count_microseconds(start: ir.TimestampValue, stop: ir.TimestampValue) -> ir.IntegerValue:
    """Return the microseconds from one naive time to another."""
    return stop.delta(start, unit="microsecond")
