"""Markets written by hand: just the rows a test is about, looked at on one day."""

from __future__ import annotations

from functools import cache

import pandas as pd

from features.catalogue.catalogue import CATALOGUE
from features.contract.tables import TABLE_BY_NAME
from features.declarations.kinds import BaseFeature
from features.declarations.levels import LEVEL_KEYS
from tests.worlds.random_markets import EVENT_TABLES, random_world, shared_engine
from tests.worlds.tables import Frames, cast_types

Rows = list[dict[str, object]]

AS_OF = pd.Timestamp("2024-03-01")
DAY = int((AS_OF - pd.Timestamp("1970-01-01")).days)
TICK = pd.Timedelta("1us")
BOUGHT = AS_OF - pd.Timedelta(days=50)
KEY = {
    "listing_id": "US-P0",
    "product_id": "P0",
    "supplier_id": "S0",
    "creator_id": "C0",
    "category": "c0",
    "market": "US",
}


def order(
    at: pd.Timestamp, *, known: pd.Timestamp | None = None, **other: object
) -> dict[str, object]:
    """Return an order line; it is known at once unless said otherwise."""
    line = {"order_line_id": str(at), "order_id": str(at), "listing_id": "US-P0", "buyer_key": "B"}
    price = {"units": 1, "unit_price_minor": 100}
    return {**event(at, known=known), **line, **price, **other}


def event(
    at: pd.Timestamp, *, known: pd.Timestamp | None = None, **other: object
) -> dict[str, object]:
    """Return a row that is known at once unless said otherwise."""
    return {"event_time": at, "available_at": at if known is None else known, **other}


def market(**tables: Rows) -> Frames:
    """Return a market with just these rows in its event tables; without deliveries unless given."""
    frames = {name: _empty_market()[name] for name in _empty_market() if name != "deliveries"}
    frames |= {name: frames[name].copy() for name in ("products", "listings")}
    return frames | {name: _table(name, rows) for name, rows in tables.items()}


@cache
def _empty_market() -> Frames:
    """Return a market in which nothing happened, made once."""
    frames = random_world(1)
    frames["listings"]["listed_at"] = pd.Timestamp("2024-01-01")
    frames["listings"]["mode"] = None
    return frames | {name: _table(name, []) for name in EVENT_TABLES}


def _table(name: str, rows: Rows) -> pd.DataFrame:
    return cast_types(name, pd.DataFrame(rows, columns=list(TABLE_BY_NAME[name].columns)))


def find_feature(name: str) -> BaseFeature:
    """Return the base feature of a name."""
    (feature,) = (feature for feature in CATALOGUE.base if feature.name == name)
    return feature


def compute_value(frames: Frames, feature: BaseFeature) -> float:
    """Return a feature's value for the one key that the rows are about."""
    keys = pd.DataFrame({k: [KEY[k]] for k in LEVEL_KEYS[feature.level]} | {"as_of_day": [DAY]})
    engine = shared_engine(tuple(frames))
    engine.load(frames)
    return float(engine.values(feature.level, keys, [feature])[feature.name].iloc[0])


def value(frames: Frames, name: str) -> float:
    """Return the value of a feature of the catalogue."""
    return compute_value(frames, find_feature(name))
