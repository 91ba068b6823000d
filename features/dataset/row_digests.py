"""Row digests: whether the rows of a table that were known on a day are the same ones still.

A digest is the sum of a hash of each row, so the order of rows makes no difference and one pass
over a table gives it. It tells where rows came, went or hold other values by accident, not by
intent: whoever writes the data can make two tables look the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Final, NamedTuple

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.days import day_number

UNTIMED_COLUMNS: Final[Mapping[str, frozenset[str]]] = {"listings": frozenset({"mode"})}
"""Columns, by table, that no digest is made of: facts without time, whose features a refresh
computes anew for all keys (`TIMELESS` in features/materialise/changed_keys.py)."""

SUM_TYPE: Final = "decimal(38, 0)"
"""A sum of hashes of up to 64 bits needs more than 64."""


class TableDigest(NamedTuple):
    """How many rows of a table were known on a day, and a digest of them."""

    rows: int
    digest: str


def hash_engine(dataset: Dataset) -> str:
    """Return the engine that hashes rows, with its version: another may hash them otherwise."""
    return f"{dataset.connection.name} {dataset.connection.version}"


def digest_tables(dataset: Dataset, day: int) -> dict[str, TableDigest]:
    """Return of each table with times which of its rows were known on a day.

    A listing counts as known from the day on that it went live.
    """
    tables = {
        name: one for name, one in sorted(dataset.tables.items()) if _availability_columns(one)
    }
    names = tuple(tables)
    by_day = dataset.compute_step(_digest_by_day, *tables.values(), names=names)
    known = by_day.filter(by_day.known_day <= day).group_by("name")
    sums = known.agg(rows=ibis._.rows.sum(), digest=ibis._.digest.sum().cast(SUM_TYPE))
    found = dataset.connection.to_pyarrow(sums).to_pylist()
    by_name = {row["name"]: TableDigest(row["rows"], f"{int(row['digest']):x}") for row in found}
    return {name: by_name.get(name, TableDigest(0, "0")) for name in names}


def _digest_by_day(*tables: ir.Table, names: tuple[str, ...]) -> ir.Table:
    """Count and digest the rows of each table by the day on which they were known."""
    parts = []
    for name, table in zip(names, tables, strict=True):
        (known_at,) = _availability_columns(table)
        columns = (
            table[column] for column in table.columns if column not in UNTIMED_COLUMNS.get(name, ())
        )
        rows = table.select(known_day=day_number(table[known_at]), hash=reduce(_hash_pair, columns))
        by_day = rows.group_by("known_day")
        digest = rows.hash.cast(SUM_TYPE).sum().cast(SUM_TYPE)
        parts.append(by_day.agg(name=ibis.literal(name), rows=rows.count(), digest=digest))
    return ibis.union(*parts)


@ibis.udf.scalar.builtin(name="hash", signature=((None, None), "int64"))  # type: ignore[untyped-decorator]  # ibis ships no types
def _hash_pair(one: ir.Value, other: ir.Value) -> ir.IntegerValue:
    """Return DuckDB's own hash of two values, null a value too, or Spark's, of 32 bits, not so."""


def _availability_columns(table: ir.Table) -> list[str]:
    """Return the column that says when each row was known; none where rows have no time."""
    return [name for name in ("available_at", "listed_at") if name in table.columns]
