"""Signals of listings: their start, list prices and unit costs, and the facts of products."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.contract.columns import EARLIEST
from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.signals.signal import Keys, add_level_keys, count_one


def listing_starts(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return the start of each listing, and who runs its pricing, logistics and service."""
    listings = dataset.tables["listings"]
    starts = listings.select(
        "listing_id",
        event_time="listed_at",
        available_at="listed_at",
        listings=count_one(),
        full_managed=_has_mode(listings, "full_managed"),
        self_run=_has_mode(listings, "self_run"),
    )
    columns = ("event_time", "available_at", "listings", "full_managed", "self_run")
    return add_level_keys(dataset, starts, keys).select(*keys, *columns)


def _has_mode(listings: ir.Table, mode: str) -> ir.IntegerValue:
    return (listings["mode"] == mode).cast("int64")


def prices(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return list prices as they were set."""
    listings = dataset.tables["listings"]
    starts = listings.select(
        "listing_id",
        event_time="listed_at",
        available_at="listed_at",
        price_minor="list_price_minor",
    )
    if dataset.has("prices"):
        starts = starts.union(dataset.knowable_rows("prices").select(*starts.columns))
    rows = add_level_keys(dataset, starts, keys)
    return rows.select(*keys, "event_time", "available_at", "price_minor")


def product_facts(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return weight and volume of products.

    The contract gives them no time, so they count as known since the earliest day.
    """
    products = dataset.tables["products"]
    always = ibis.literal(f"{EARLIEST} 00:00:00").cast("timestamp")
    return products.select(
        *keys,
        "weight_g",
        "volume_cm3",
        event_time=always,
        available_at=always,
    )


def listing_costs(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return the unit cost of listings whose product has its cost in the currency of the market.

    The contract has no exchange rates, so a cost in another currency is left out.
    """
    products = dataset.tables["products"].select(
        "product_id", "unit_cost_minor", cost_currency="currency"
    )
    listings = dataset.tables["listings"].inner_join(products, "product_id")
    comparable = listings.filter(
        listings.currency == listings.cost_currency, listings.unit_cost_minor.notnull()
    )
    always = ibis.literal(f"{EARLIEST} 00:00:00").cast("timestamp")
    return comparable.select(
        *keys,
        "unit_cost_minor",
        event_time=always,
        available_at=always,
    )
