"""Digest the rows of a table that were known on a day, to see later whether they changed.

A digest is the sum of a hash of each row, so it takes one pass and doesn't depend on the order of
rows. It detects rows that were added, removed or changed by accident. It is no protection against
intent: the author of the data can construct two tables with the same digest.
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
"""Columns, by table, that are left out of the digest: facts without time, whose features a refresh
computes again for all keys (`TIMELESS` in features/materialise/changed_keys.py)."""

SUM_TYPE: Final = "decimal(38, 0)"
"""The sum of 64-bit hashes needs more than 64 bits."""


class TableDigest(NamedTuple):
    """The number of a table's rows that were known on a day, and their digest."""

    rows: int
    digest: str


def hash_engine(dataset: Dataset) -> str:
    """Return the name and version of the engine: another version may hash rows differently."""
    return f"{dataset.connection.name} {dataset.connection.version}"


def digest_tables(dataset: Dataset, day: int) -> dict[str, TableDigest]:
    """Return the digest of the rows known on a day, for each table with times.

    A listing is known from the day on which it went live.
    """
    tables = {
        name: table
        for name, table in sorted(dataset.tables.items())
        if _availability_columns(table)
    }
    by_day = dataset.persist(_digest_by_day(tables))
    known = by_day.filter(by_day.known_day <= day).group_by("name")
    sums = known.agg(rows=ibis._.rows.sum(), digest=ibis._.digest.sum().cast(SUM_TYPE))
    rows = dataset.connection.to_pyarrow(sums).to_pylist()
    by_name = {row["name"]: TableDigest(row["rows"], f"{int(row['digest']):x}") for row in rows}
    return {name: by_name.get(name, TableDigest(0, "0")) for name in tables}


def _digest_by_day(tables: Mapping[str, ir.Table]) -> ir.Table:
    """Count and digest the rows of each table by the day on which they were known."""
    parts = []
    for name, table in tables.items():
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
def _hash_pair(left: ir.Value, right: ir.Value) -> ir.IntegerValue:
    """Return the engine's hash of two values.

    DuckDB's has 64 bits and hashes null as a value; Spark's has 32 bits and ignores null.
    """


def _availability_columns(table: ir.Table) -> list[str]:
    """Return the column with the time at which a row was known; none where rows have no time."""
    return [name for name in ("available_at", "listed_at") if name in table.columns]
