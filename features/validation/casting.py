"""Reading cells as what the contract says they hold; what can't be read becomes a fault."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.contract.columns import Kind, Table, kind_of

ARROW_TYPES: Final = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.bool_(),
    Kind.TIME: pa.timestamp("us"),
}
"""How a validated column is stored; times are naive UTC."""

UNREADABLE: Final = {
    Kind.TEXT: "not text",
    Kind.INTEGER: "not an integer",
    Kind.NUMBER: "not a number",
    Kind.FLAG: "not true or false",
    Kind.TIME: "not a time",
}


class Family(Enum):
    """What a source column is made of, as far as reading goes."""

    TEXT = auto()
    INTEGER = auto()
    REAL = auto()
    FLAG = auto()
    TIME = auto()
    ZONED_TIME = auto()
    NOTHING = auto()


SQL_TYPES: Final = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.FLAG: "BOOLEAN",
    Kind.TIME: "TIMESTAMP",
}

READINGS: Final = {
    (Kind.TEXT, Family.TEXT): "CELL",
    (Kind.TEXT, Family.INTEGER): "CAST(CELL AS VARCHAR)",
    (Kind.INTEGER, Family.TEXT): (
        r"CASE WHEN regexp_full_match(trim(CELL), '[+-]?\d{1,18}(\.0*)?')"
        " THEN TRY_CAST(split_part(trim(CELL), '.', 1) AS BIGINT) END"
    ),
    (Kind.INTEGER, Family.INTEGER): "TRY_CAST(CELL AS BIGINT)",
    (Kind.INTEGER, Family.REAL): "CASE WHEN CELL = trunc(CELL) THEN TRY_CAST(CELL AS BIGINT) END",
    (Kind.NUMBER, Family.TEXT): (
        "CASE WHEN isfinite(TRY_CAST(trim(CELL) AS DOUBLE)) THEN TRY_CAST(trim(CELL) AS DOUBLE) END"
    ),
    (Kind.NUMBER, Family.INTEGER): "TRY_CAST(CELL AS DOUBLE)",
    (Kind.NUMBER, Family.REAL): "TRY_CAST(CELL AS DOUBLE)",
    (Kind.FLAG, Family.TEXT): "TRY_CAST(trim(CELL) AS BOOLEAN)",
    (Kind.FLAG, Family.INTEGER): "CASE CELL WHEN 0 THEN FALSE WHEN 1 THEN TRUE END",
    (Kind.FLAG, Family.FLAG): "CELL",
    (Kind.TIME, Family.TEXT): (
        "CASE WHEN isfinite(TRY_CAST(trim(CELL) AS TIMESTAMPTZ))"
        " THEN TRY_CAST(trim(CELL) AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END"
    ),
    (Kind.TIME, Family.TIME): "TRY_CAST(CELL AS TIMESTAMP)",
    (Kind.TIME, Family.ZONED_TIME): "TRY_CAST(CELL AT TIME ZONE 'UTC' AS TIMESTAMP)",
}
"""DuckDB's expression for a cell of a family read as a kind; null where it can't be read.

The connection's time zone is UTC, so that a text without a zone is taken as UTC. A pair that isn't
here can't be read at all.
"""

_TESTS: Final = (
    (pa.types.is_null, Family.NOTHING),
    (pa.types.is_boolean, Family.FLAG),
    (pa.types.is_integer, Family.INTEGER),
    (pa.types.is_float32, Family.REAL),
    (pa.types.is_float64, Family.REAL),
    (pa.types.is_decimal128, Family.REAL),
    (pa.types.is_string, Family.TEXT),
    (pa.types.is_large_string, Family.TEXT),
    (pa.types.is_string_view, Family.TEXT),
    (pa.types.is_date, Family.TIME),
)


def family_of(arrow_type: pa.DataType) -> Family | None:
    """Return what a source column is made of; None for types the contract has no use for."""
    if pa.types.is_dictionary(arrow_type):
        return family_of(arrow_type.value_type)
    if pa.types.is_timestamp(arrow_type):
        return Family.TIME if arrow_type.tz is None else Family.ZONED_TIME
    return next((family for is_it, family in _TESTS if is_it(arrow_type)), None)


def can_be_read(kind: Kind, arrow_type: pa.DataType) -> bool:
    """Tell whether a source type may hold values of a kind at all."""
    family = family_of(arrow_type)
    return family is Family.NOTHING or (kind, family) in READINGS


def arrow_schema(table: Table) -> pa.Schema:
    """Return the schema of a table's validated form: all columns, in contract order."""
    return pa.schema(
        [(name, ARROW_TYPES[kind_of(column)]) for name, column in table.columns.items()]
    )


def cast_cells(connection: duckdb.DuckDBPyConnection, table: Table, cells: pa.Table) -> pa.Table:
    """Return the cells in the table's validated form; null where one can't be read.

    Optional columns that the source lacks are null. `connection` is DuckDB's, in UTC.
    """
    present = [name for name in table.columns if name in cells.column_names]
    # By place: DuckDB would take `Units` and `units` for the same name.
    places = {name: f"c{place}" for place, name in enumerate(present)}
    by_place = pa.table([_without_nan(cells[name]) for name in present], names=[*places.values()])
    types = {name: cells.schema.field(name).type for name in present}
    expressions = [
        _reading(name, kind_of(column), types.get(name, pa.null()), places.get(name, ""))
        for name, column in table.columns.items()
    ]
    # DuckDB keeps the order of rows unless it is told otherwise.
    typed = connection.from_arrow(by_place).project(", ".join(expressions)).to_arrow_table()
    return typed.cast(arrow_schema(table))


def _reading(name: str, kind: Kind, arrow_type: pa.DataType, place: str) -> str:
    family = family_of(arrow_type)
    reading = READINGS[kind, family] if family and family is not Family.NOTHING else "NULL"
    return f'CAST({reading.replace("CELL", place)} AS {SQL_TYPES[kind]}) AS "{name}"'


def _without_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with null for NaN: engines write one or the other for "missing"."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def unreadable(table: Table, cells: pa.Table, typed: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return a mask a column: true where a cell held something and it couldn't be read."""
    return {
        name: pc.and_(pc.is_valid(_without_nan(cells[name])), pc.is_null(typed[name]))
        for name in table.columns
        if name in cells.column_names
    }
