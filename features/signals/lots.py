"""Signals of stock: units on sale, and the part of each lot that sold within its horizon."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.signals.cancellations import cancellations
from features.signals.signal import Keys, add_level_keys, count_one, count_zero, indicator


def offers(dataset: Dataset) -> ir.Table:
    """Return stock observations: units on hand, units inbound, and their sum as units on sale."""
    stock = dataset.knowable_rows("stock")
    return stock.select(
        "listing_id",
        "event_time",
        "available_at",
        units_offered=stock.on_hand_units + stock.inbound_units,
        units_on_hand=stock.on_hand_units,
        units_inbound=stock.inbound_units,
    )


def lots(dataset: Dataset, horizons: Horizons, keys: Keys) -> ir.Table:
    """Return the units of each lot, offered and sold, at the end of its horizon."""
    observations = offers(dataset)
    horizon = ibis.interval(days=horizons.horizon_days)
    on_sale = observations.filter(observations.units_offered > 0).select(
        "listing_id",
        "units_offered",
        offered_at="event_time",
        offer_known_at="available_at",
        over_at=observations.event_time + horizon,
    )
    offered = on_sale.select(
        "listing_id",
        event_time=on_sale.over_at,
        available_at=ibis.greatest(on_sale.offer_known_at, on_sale.over_at),
        units_offered=on_sale.units_offered,
        units_sold=count_zero(),
    )
    rows = add_level_keys(dataset, offered.union(_split_sales(dataset, horizons, on_sale)), keys)
    return rows.group_by(*keys, "event_time", "available_at").agg(
        units_offered=rows.units_offered.sum().cast("int64"),
        units_sold=rows.units_sold.sum().cast("int64"),
    )


def _split_sales(dataset: Dataset, horizons: Horizons, on_sale: ir.Table) -> ir.Table:
    """Split the sales of each lot into one part for each moment at which orders became known.

    The parts known at a moment add up to `min(units offered, units ordered)`, as known at that
    moment. Most orders are known before the horizon of the lot ends; these form a single part.
    """
    columns = ("listing_id", "event_time", "available_at", "units")
    orders = dataset.knowable_rows("orders").select(*columns)
    if dataset.has("returns"):
        undone = cancellations(dataset, horizons).mutate(units=-ibis._.units)
        orders = orders.union(undone.select(*columns))
    sold = on_sale.inner_join(orders, "listing_id")
    sold = sold.filter(sold.event_time > sold.offered_at, sold.event_time <= sold.over_at)
    known_at = ibis.greatest(sold.offer_known_at, sold.available_at, sold.over_at)
    lot = ("listing_id", "offered_at", "offer_known_at", "over_at", "units_offered")
    sold = sold.mutate(known_at=known_at).group_by(*lot, "known_at")
    parts = sold.agg(units=ibis._.units.sum().cast("int64"))
    so_far = parts.units.sum().over(group_by=lot, order_by="known_at", rows=(None, 0))
    parts = parts.mutate(so_far=so_far.cast("int64"))
    return parts.select(
        "listing_id",
        event_time=parts.over_at,
        available_at=parts.known_at,
        units_offered=count_zero(),
        units_sold=ibis.least(parts.so_far, parts.units_offered)
        - ibis.least(parts.so_far - parts.units, parts.units_offered),
    )


def stock(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return stock observations.

    `sold_outs` counts those with nothing on hand, `settled` those with nothing inbound.
    """
    rows = add_level_keys(dataset, offers(dataset), keys)
    return rows.select(
        *keys,
        "event_time",
        "available_at",
        "units_offered",
        "units_on_hand",
        "units_inbound",
        observations=count_one(),
        sold_outs=indicator(rows.units_on_hand == 0),
        settled=indicator(rows.units_inbound == 0),
    )
