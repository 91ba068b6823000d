"""Small random markets, full of boundary times, and an engine for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from features.catalogue.catalogue import CATALOGUE
from features.contract.columns import ARROW_TYPES, column_kind
from features.contract.tables import TABLE_BY_NAME, TABLES
from features.dataset.dataset import Dataset, store_temporary_table
from features.dataset.horizons import Horizons
from features.declarations.kinds import BaseFeature
from features.declarations.levels import LEVEL_KEYS, Level
from features.point_in_time.interpreter import level_values
from features.point_in_time.signal_rows import SignalRows, build_stored_rows
from tests.worlds.tables import (
    DAYS,
    START,
    Draw,
    Frames,
    cast_types,
    draw_audits,
    draw_localisation,
    draw_orders,
    draw_videos,
)

Compute = Callable[[SignalRows, Sequence[BaseFeature], ir.Table], ir.Table]

HORIZONS = Horizons(
    horizon_days=14,
    return_window_days=10,
    assumed_delivery_days=3,
    cancellation_days=2,
    repurchase_window_days=20,
)
FIRST_DAY = int((START - pd.Timestamp("1970-01-01")).days)
LISTED = [
    ("US-P0", "P0", "US"),
    ("GB-P0", "P0", "GB"),
    ("US-P1", "P1", "US"),
    ("GB-P1", "P1", "GB"),
]
LISTED += [("US-P2", "P2", "US")]
EVENT_TABLES = tuple(table.name for table in TABLES if table.is_event)
OPTIONAL_TABLES = tuple(table.name for table in TABLES if not table.is_required)


def random_world(seed: int, *, orders: int = 60) -> Frames:
    """Draw every table of the contract; event tables in no particular order."""
    draw = Draw(seed)
    names = [name for name, _, _ in LISTED]
    stocked = draw.rng.choice(DAYS, size=20, replace=False)
    stocked.sort()
    frames = {
        "products": pd.DataFrame(
            {
                "product_id": ["P0", "P1", "P2"],
                "supplier_id": ["S0", "S1", None],
                "category": ["c0", "c1", "c0"],
                "parent_category": ["c", "c", None],
                "unit_cost_minor": draw.pick([None, 90, 800], 3),
                "currency": draw.pick(["USD", "USD", "CNY", None], 3),
                "weight_g": draw.pick([None, 0.0, 120.5], 3),
                "volume_cm3": draw.pick([None, 1.5, 900.0], 3),
            }
        ),
        "listings": pd.DataFrame(
            {
                "listing_id": names,
                "product_id": [product for _, product, _ in LISTED],
                "market": [market for _, _, market in LISTED],
                "mode": draw.pick([None, "full_managed", "semi_managed", "self_run"], len(names)),
                "listed_at": draw.times(len(names)),
                "list_price_minor": draw.whole(100, 2000, len(names)),
                "currency": "USD",
            }
        ),
        "prices": pd.DataFrame(
            {
                "listing_id": draw.pick(names, 12),
                "price_minor": draw.whole(100, 2000, 12),
                **draw.events(draw.times(12)),
            }
        ).drop_duplicates(["listing_id", "event_time"]),
        "stock": pd.DataFrame(
            {
                "listing_id": draw.pick(names, len(stocked)),
                "on_hand_units": draw.pick([0, *range(20)], len(stocked)),
                "inbound_units": draw.pick([0, 0, 2], len(stocked)),
                **draw.events(pd.Series(START + pd.to_timedelta(stocked, unit="D"))),
            }
        ),
        **draw_orders(draw, names, orders),
        **draw_videos(draw, names, orders // 4),
        **draw_localisation(draw, names, orders // 2),
        **draw_audits(draw, names, orders // 5),
    }
    return {name: cast_types(name, frame) for name, frame in frames.items()}


def as_arrow(name: str, frame: pd.DataFrame) -> pa.Table:
    """Return a table of the contract in the types its validated file has."""
    if name not in TABLE_BY_NAME:
        return pa.Table.from_pandas(frame, preserve_index=False)
    columns = TABLE_BY_NAME[name].columns
    schema = pa.schema([(n, ARROW_TYPES[column_kind(declared)]) for n, declared in columns.items()])
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


@dataclass
class Engine:
    """One DuckDB connection whose tables can be exchanged under the same steps."""

    frames: Mapping[str, pd.DataFrame]
    compute: Compute = level_values
    connection: Any = field(
        default_factory=lambda: ibis.duckdb.connect(preserve_insertion_order=False)
    )

    def __post_init__(self) -> None:
        self.loaded: dict[str, pd.DataFrame] = {}
        self.steps: dict[tuple[Level, tuple[BaseFeature, ...]], list[str]] = {}
        self.load(self.frames)
        # Asked for once: whatever rows they hold, the contract says their columns.
        self.tables = {name: self.connection.table(name) for name in self.frames}

    def load(self, frames: Mapping[str, pd.DataFrame]) -> None:
        """Exchange tables, but for those that are there already: a frame isn't changed in place."""
        for name, frame in frames.items():
            if self.loaded.get(name) is frame:
                continue
            self.loaded[name] = frame
            self.connection.con.register("incoming", as_arrow(name, frame))
            self.connection.raw_sql(f"CREATE OR REPLACE TABLE {name} AS FROM incoming")
            self.connection.con.unregister("incoming")

    @property
    def dataset(self) -> Dataset:
        return Dataset(connection=self.connection, tables=self.tables, digest="made in memory")

    def values(
        self, level: Level, keys: pd.DataFrame, features: Sequence[BaseFeature] | None = None
    ) -> pd.DataFrame:
        """Compute a level's features for keys, sorted by them."""
        self.load({f"keys_{level.value}": keys})
        features = CATALOGUE.at_level(level) if features is None else tuple(features)
        if (level, features) not in self.steps:
            self.steps[level, features] = self._write_steps(level, features)
        *statements, query = self.steps[level, features]
        self.connection.raw_sql(";".join(statements))
        result: pd.DataFrame = self.connection.con.sql(query).df()
        return result.sort_values(list(keys.columns)).reset_index(drop=True)

    def _write_steps(self, level: Level, features: Sequence[BaseFeature]) -> list[str]:
        """Return the SQL that fills a level's intermediate tables again, then the query.

        Ibis takes longer to write it than DuckDB to run it.
        """
        statements: list[str] = []

        def store(connection: Any, table: ir.Table) -> ir.Table:  # noqa: ANN401 - ibis ships no types
            stored = store_temporary_table(connection, table)
            name = stored.op().name
            fill = f'INSERT INTO "{name}" {connection.compile(table)}'
            statements.extend((f'TRUNCATE "{name}"', fill))
            return stored

        rows = build_stored_rows(replace(self.dataset, store=store), HORIZONS)
        values = self.compute(rows, features, self.connection.table(f"keys_{level.value}"))
        return [*statements, self.connection.compile(values)]


@cache
def shared_engine(tables: tuple[str, ...] = tuple(table.name for table in TABLES)) -> Engine:
    """Return the one engine for a set of tables, made once."""
    frames = random_world(1)
    return Engine({name: frames[name] for name in tables})


def list_keys(frames: Mapping[str, pd.DataFrame], level: Level, days: list[int]) -> pd.DataFrame:
    """Return every key of a level that listings or videos have, at every day."""
    facts = frames["listings"][["listing_id", "product_id", "market"]]
    facts = facts.merge(frames["products"][["product_id", "supplier_id", "category"]])
    source = frames["videos"] if level is Level.CREATOR else facts
    keys = source[list(LEVEL_KEYS[level])].dropna().drop_duplicates()
    return keys.merge(pd.DataFrame({"as_of_day": sorted(set(days))}), how="cross")
