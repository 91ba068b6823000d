"""Small random markets in the contract's terms, full of boundary times, and an engine for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd

from features.catalogue import CATALOGUE
from features.dataset import Dataset
from features.horizons import Horizons
from features.interpreter import level_values
from features.levels import LEVEL_KEYS, Level
from features.signal_rows import lazy_rows

Frames = dict[str, pd.DataFrame]

HORIZONS = Horizons(
    horizon_days=14, return_window_days=10, assumed_delivery_days=3, repurchase_window_days=20
)
START = pd.Timestamp("2024-01-01")
DAYS = 120
WITHIN_A_DAY = ("0us", "1us", "9h", "86399999999us")
"""Midnight, just after, some time, just before the next: where an off-by-one would show."""
DELAYS = ("0us", "0us", "1us", "5h", "3D", "30D", None)
TIMES = ("event_time", "available_at", "listed_at")


def _times(rng: np.random.Generator, size: int) -> pd.Series[Any]:
    days = pd.to_timedelta(rng.integers(0, DAYS, size), unit="D")
    return pd.Series(START + days + pd.to_timedelta(rng.choice(WITHIN_A_DAY, size)))


def _known(rng: np.random.Generator, happened: pd.Series[Any]) -> pd.Series[Any]:
    delays = [DELAYS[i] for i in rng.integers(0, len(DELAYS), len(happened))]
    return happened + pd.to_timedelta(pd.Series(delays, dtype="object"))


def _events(rng: np.random.Generator, happened: pd.Series[Any]) -> dict[str, pd.Series[Any]]:
    happened = happened.reset_index(drop=True)
    return {"event_time": happened, "available_at": _known(rng, happened)}


def random_world(seed: int, *, orders: int = 60) -> Frames:
    """Draw every table the thin catalogue reads; event tables in no particular order."""
    rng = np.random.default_rng(seed)
    products = [f"P{i}" for i in range(3)]
    listings = [(f"{market}-{p}", p, market) for p in products for market in ("US", "GB")][:5]
    names = [name for name, _, _ in listings]
    lines = [f"L{i:03d}" for i in range(orders)]
    sold = _times(rng, orders)
    stocked = rng.choice(DAYS, size=min(20, DAYS), replace=False)
    chosen = sorted(rng.permutation(orders)[: orders // 3].tolist())
    returned = [lines[i] for i in chosen]
    back = sold.iloc[chosen] + pd.to_timedelta(rng.integers(0, 20, len(returned)), unit="D")
    frames = {
        "products": pd.DataFrame(
            {
                "product_id": products,
                "supplier_id": ["S0", "S1", None],
                "category": ["c0", "c1", "c0"],
                "parent_category": ["c", "c", None],
            }
        ),
        "listings": pd.DataFrame(
            {
                "listing_id": names,
                "product_id": [product for _, product, _ in listings],
                "market": [market for _, _, market in listings],
                "listed_at": _times(rng, len(names)),
                "list_price_minor": rng.integers(100, 2000, len(names)),
                "currency": "USD",
            }
        ),
        "orders": pd.DataFrame(
            {
                "order_line_id": lines,
                "order_id": [f"O{i}" for i in rng.integers(0, max(1, orders // 2), orders)],
                "listing_id": rng.choice(names, orders),
                "buyer_key": [None if i == 0 else f"B{i}" for i in rng.integers(0, 8, orders)],
                "units": rng.integers(1, 9, orders),
                "unit_price_minor": rng.integers(0, 2000, orders),
                **_events(rng, sold),
            }
        ),
        "deliveries": pd.DataFrame(
            {
                "order_line_id": lines[: orders // 2],
                **_events(rng, sold[: orders // 2] + pd.Timedelta("2D")),
            }
        ),
        "returns": pd.DataFrame(
            {"order_line_id": returned, "units": 1, **_events(rng, back.reset_index(drop=True))}
        ),
        "prices": pd.DataFrame(
            {
                "listing_id": rng.choice(names, 12),
                "price_minor": rng.integers(100, 2000, 12),
                **_events(rng, _times(rng, 12)),
            }
        ).drop_duplicates(["listing_id", "event_time"]),
        "stock": pd.DataFrame(
            {
                "listing_id": rng.choice(names, len(stocked)),
                "on_hand_units": rng.integers(0, 20, len(stocked)),
                "inbound_units": rng.integers(0, 3, len(stocked)),
                **_events(rng, pd.Series(START + pd.to_timedelta(np.sort(stocked), unit="D"))),
            }
        ),
    }
    return {name: _typed(frame) for name, frame in frames.items()}


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    times = {name: "datetime64[us]" for name in TIMES if name in frame}
    ends = ("_id", "_key", "category")
    texts = {name: "str" for name in map(str, frame.columns) if name.endswith(ends)}
    return frame.astype({**times, **texts})


class Engine:
    """One DuckDB connection whose tables can be exchanged under compiled queries."""

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self.connection = ibis.duckdb.connect()
        self.load(frames)
        self.tables = tuple(frames)
        self._queries: dict[Level, str] = {}

    def load(self, frames: Mapping[str, pd.DataFrame]) -> None:
        for name, frame in frames.items():
            self.connection.con.register("incoming", frame)
            self.connection.raw_sql(f"CREATE OR REPLACE TABLE {name} AS FROM incoming")
            self.connection.con.unregister("incoming")

    @property
    def dataset(self) -> Dataset:
        tables = {name: self.connection.table(name) for name in self.tables}
        return Dataset(connection=self.connection, tables=tables, digest="made in memory")

    def values(self, level: Level, keys: pd.DataFrame) -> pd.DataFrame:
        """Compute a level's features for keys, sorted by them; compiles each level once."""
        self.load({f"keys_{level.value}": keys})
        if level not in self._queries:
            table = self.connection.table(f"keys_{level.value}")
            values = level_values(lazy_rows(self.dataset, HORIZONS), CATALOGUE.at(level), table)
            self._queries[level] = self.connection.compile(values)
        result: pd.DataFrame = self.connection.con.sql(self._queries[level]).df()
        return result.sort_values(list(keys.columns)).reset_index(drop=True)


def keys_of(frames: Mapping[str, pd.DataFrame], level: Level, days: list[int]) -> pd.DataFrame:
    """Return every key of a level at every day."""
    facts = frames["listings"].merge(frames["products"], on="product_id")
    keys = facts[list(LEVEL_KEYS[level])].drop_duplicates()
    return keys.merge(pd.DataFrame({"as_of_day": days}), how="cross")
