"""A validated data set as the engine sees it: tables behind one connection."""

from __future__ import annotations

import hashlib
import os
import shutil
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
from ibis.util import gen_name

from features.dataset.covered_days import CoveredDays, DailyRows, find_covered_days
from features.dataset.days import midnight_before
from features.dataset.limited_units import limit_units
from features.declarations.levels import LEVEL_KEYS, Level
from features.runtime.errors import DataError
from features.runtime.temporary import create_directory
from features.runtime.text import escape_glob
from features.validation.validated_files import find_validated_files

MEMORY_LIMIT: Final = "2GB"
"""What DuckDB may hold before it spills to disk."""

DOUBTED_SHARE: Final = 0.001
"""Orders known last whose times may be those of a broken clock."""


class NoOrderKnownError(DataError):
    """Refuse data in which no order ever becomes known."""

    def __init__(self) -> None:
        super().__init__(
            problem="The column orders.available_at is null in all rows, so no order is known.",
            hint="Fill available_at in orders; if the source has only one time, repeat event_time.",
        )


def store_temporary_table(connection: Any, table: ir.Table) -> ir.Table:  # noqa: ANN401 - ibis ships no types
    """Compute a table now and keep its rows for as long as the connection."""
    return connection.create_table(gen_name("stored"), table, temp=True)


@dataclass(frozen=True)
class OrderDays:
    """The days that orders cover, and the last day whose orders the data can hold in full.

    The cut-off is the day by which 99.9 % of the orders were known, without those long after all
    others. So a few rows of a broken clock can't make unripe labels look final.
    """

    covered: CoveredDays
    cut_off_day: int


@dataclass(frozen=True)
class Dataset:
    """Tables of the contract as lazy expressions; times are naive UTC.

    `imputed` names the tables that were made by a rule because the source has none: everything
    that rests on them says so. `digest` is a SHA-256 over the validated files. `store` computes a
    query and keeps its rows in the engine, in the way that suits the engine.
    """

    connection: Any
    tables: Mapping[str, ir.Table]
    digest: str
    imputed: tuple[str, ...] = ()
    store: Callable[[Any, ir.Table], ir.Table] = store_temporary_table

    def has(self, *names: str) -> bool:
        """Return True if all the named tables are there."""
        return all(name in self.tables for name in names)

    def with_imputed_table(self, name: str, table: ir.Table) -> Dataset:
        """Return the same data with one more table, marked as imputed."""
        tables = {**self.tables, name: table}
        return replace(self, tables=tables, imputed=(*self.imputed, name))

    def knowable_rows(self, name: str) -> ir.Table:
        """Return the rows of an event table that anyone can ever see."""
        table = self.tables[name]
        return table.filter(table.available_at.notnull())

    def persist(self, table: ir.Table) -> ir.Table:
        """Compute a table now and keep its rows in the engine for as long as the connection."""
        return self.store(self.connection, table)

    def listing_facts(self) -> ir.Table:
        """Return one row a listing with those keys of all levels that it has once and for all."""
        listings, products = self.tables["listings"], self.tables["products"]
        joined = listings.inner_join(products, "product_id")
        keys = dict.fromkeys(key for level in Level for key in LEVEL_KEYS[level])
        return joined.select(*(key for key in keys if key != "creator_id"))

    def daily_rows(
        self, name: str, to_day: Callable[[ir.TimestampValue], ir.IntegerValue]
    ) -> DailyRows:
        """Count the rows of an event table by the day on which they became known."""
        rows = self.knowable_rows(name)
        by_day = rows.group_by(day=to_day(rows.available_at)).agg(rows=rows.count())
        table = self.connection.to_pyarrow(by_day.order_by("day"))
        return DailyRows(table["day"].to_numpy(), table["rows"].to_numpy())

    def order_days(self) -> OrderDays:
        """Return the days that the orders cover, and the cut-off.

        Raises:
            NoOrderKnownError: no order has a time at which it was known.
        """
        daily = self.daily_rows("orders", midnight_before)
        if not daily.days.size:
            raise NoOrderKnownError
        covered = find_covered_days(daily)
        known = np.cumsum(daily.rows[daily.days <= covered.span.last])
        doubted = int(known[-1] * DOUBTED_SHARE)
        cut_off = daily.days[np.searchsorted(known, known[-1] - doubted)]
        return OrderDays(covered, int(cut_off))

    def cut_off_day(self) -> int:
        """Return the last day whose orders the data can hold in full.

        Raises:
            NoOrderKnownError: no order has a time at which it was known.
        """
        return self.order_days().cut_off_day


def open_dataset(directory: Path) -> Dataset:
    """Open a validated directory in an embedded engine.

    Raises:
        NotValidatedError, OtherTableError: it isn't as `xuanpin check --out` wrote it.
    """
    spill, lock = create_directory()
    connection = ibis.duckdb.connect(
        memory_limit=MEMORY_LIMIT,
        temp_directory=str(spill),
        preserve_insertion_order=False,  # no feature may rest on it, and tables are stored faster
    )
    weakref.finalize(connection, _remove_spill, spill, lock)
    return read_dataset(directory, connection)


def _remove_spill(directory: Path, lock: int) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    os.close(lock)


def read_dataset(directory: Path, connection: Any) -> Dataset:  # noqa: ANN401 - ibis ships no types
    """Open a validated directory behind a connection of any engine that reads Parquet.

    Order lines of far too many units are limited (features/dataset/limited_units.py).

    Raises:
        NotValidatedError, OtherTableError: it isn't as `xuanpin check --out` wrote it.
    """
    tables = {}
    digest = hashlib.sha256()
    for name, path in find_validated_files(directory).items():
        tables[name] = connection.read_parquet(escape_glob(path), table_name=name)
        digest.update(name.encode() + _file_digest(path))
    limited = limit_units(connection, tables)
    return Dataset(connection=connection, tables=limited, digest=digest.hexdigest())


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
