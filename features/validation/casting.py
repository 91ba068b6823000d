"""Reading cells as what the contract says they hold; what can't be read becomes a fault."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.contract.columns import ARROW_TYPES, ColumnKind, Table, column_kind

UNREADABLE: Final = {
    ColumnKind.TEXT: "not text",
    ColumnKind.INTEGER: "not an integer",
    ColumnKind.NUMBER: "not a number",
    ColumnKind.FLAG: "not true or false",
    ColumnKind.TIME: "not a time",
}


class CastGroup(Enum):
    """What a source column is made of, as far as reading goes."""

    TEXT = auto()
    INTEGER = auto()
    REAL = auto()
    FLAG = auto()
    TIME = auto()
    ZONED_TIME = auto()
    NOTHING = auto()


SQL_TYPES: Final = {
    ColumnKind.TEXT: "VARCHAR",
    ColumnKind.INTEGER: "BIGINT",
    ColumnKind.NUMBER: "DOUBLE",
    ColumnKind.FLAG: "BOOLEAN",
    ColumnKind.TIME: "TIMESTAMP",
}

CAST_EXPRESSIONS: Final = {
    (ColumnKind.TEXT, CastGroup.TEXT): "CELL",
    (ColumnKind.TEXT, CastGroup.INTEGER): "CAST(CELL AS VARCHAR)",
    (ColumnKind.INTEGER, CastGroup.TEXT): (
        r"CASE WHEN regexp_full_match(trim(CELL), '[+-]?\d{1,18}(\.0*)?')"
        " THEN TRY_CAST(split_part(trim(CELL), '.', 1) AS BIGINT) END"
    ),
    (ColumnKind.INTEGER, CastGroup.INTEGER): "TRY_CAST(CELL AS BIGINT)",
    (
        ColumnKind.INTEGER,
        CastGroup.REAL,
    ): "CASE WHEN CELL = trunc(CELL) THEN TRY_CAST(CELL AS BIGINT) END",
    (ColumnKind.NUMBER, CastGroup.TEXT): (
        "CASE WHEN isfinite(TRY_CAST(trim(CELL) AS DOUBLE)) THEN TRY_CAST(trim(CELL) AS DOUBLE) END"
    ),
    (ColumnKind.NUMBER, CastGroup.INTEGER): "TRY_CAST(CELL AS DOUBLE)",
    (ColumnKind.NUMBER, CastGroup.REAL): "TRY_CAST(CELL AS DOUBLE)",
    (ColumnKind.FLAG, CastGroup.TEXT): "TRY_CAST(trim(CELL) AS BOOLEAN)",
    (ColumnKind.FLAG, CastGroup.INTEGER): "CASE CELL WHEN 0 THEN FALSE WHEN 1 THEN TRUE END",
    (ColumnKind.FLAG, CastGroup.FLAG): "CELL",
    (ColumnKind.TIME, CastGroup.TEXT): (
        "CASE WHEN isfinite(TRY_CAST(trim(CELL) AS TIMESTAMPTZ))"
        " THEN TRY_CAST(trim(CELL) AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END"
    ),
    (ColumnKind.TIME, CastGroup.TIME): "TRY_CAST(CELL AS TIMESTAMP)",
    (ColumnKind.TIME, CastGroup.ZONED_TIME): "TRY_CAST(CELL AT TIME ZONE 'UTC' AS TIMESTAMP)",
}
"""DuckDB's expression for a cell of a family read as a kind; null where it can't be read.

The connection's time zone is UTC, so that a text without a zone is taken as UTC. A pair that isn't
here can't be read at all.
"""

_GROUP_TESTS: Final = (
    (pa.types.is_null, CastGroup.NOTHING),
    (pa.types.is_boolean, CastGroup.FLAG),
    (pa.types.is_integer, CastGroup.INTEGER),
    (pa.types.is_float32, CastGroup.REAL),
    (pa.types.is_float64, CastGroup.REAL),
    (pa.types.is_decimal128, CastGroup.REAL),
    (pa.types.is_string, CastGroup.TEXT),
    (pa.types.is_large_string, CastGroup.TEXT),
    (pa.types.is_string_view, CastGroup.TEXT),
    (pa.types.is_date, CastGroup.TIME),
)


def cast_group(arrow_type: pa.DataType) -> CastGroup | None:
    """Return what a source column is made of; None for types the contract has no use for."""
    if pa.types.is_dictionary(arrow_type):
        return cast_group(arrow_type.value_type)
    if pa.types.is_timestamp(arrow_type):
        return CastGroup.TIME if arrow_type.tz is None else CastGroup.ZONED_TIME
    return next((group for is_it, group in _GROUP_TESTS if is_it(arrow_type)), None)


def is_castable(kind: ColumnKind, arrow_type: pa.DataType) -> bool:
    """Tell whether a source type may hold values of a kind at all."""
    group = cast_group(arrow_type)
    return group is CastGroup.NOTHING or (kind, group) in CAST_EXPRESSIONS


def arrow_schema(table: Table) -> pa.Schema:
    """Return the schema of a table's validated form: all columns, in contract order."""
    return pa.schema(
        [(name, ARROW_TYPES[column_kind(column)]) for name, column in table.columns.items()]
    )


def cast_cells(connection: duckdb.DuckDBPyConnection, table: Table, cells: pa.Table) -> pa.Table:
    """Return the cells in the table's validated form; null where one can't be read.

    Optional columns that the source lacks are null. `connection` is DuckDB's, in UTC.
    """
    present = [name for name in table.columns if name in cells.column_names]
    # By place: DuckDB would take `Units` and `units` for the same name.
    places = {name: f"c{place}" for place, name in enumerate(present)}
    by_place = pa.table([_replace_nan(cells[name]) for name in present], names=[*places.values()])
    types = {name: cells.schema.field(name).type for name in present}
    expressions = [
        _cast_expression(
            name, column_kind(column), types.get(name, pa.null()), places.get(name, "")
        )
        for name, column in table.columns.items()
    ]
    # DuckDB keeps the order of rows unless it is told otherwise.
    typed = connection.from_arrow(by_place).project(", ".join(expressions)).to_arrow_table()
    return typed.cast(arrow_schema(table))


def _cast_expression(name: str, kind: ColumnKind, arrow_type: pa.DataType, place: str) -> str:
    group = cast_group(arrow_type)
    reading = CAST_EXPRESSIONS[kind, group] if group and group is not CastGroup.NOTHING else "NULL"
    return f'CAST({reading.replace("CELL", place)} AS {SQL_TYPES[kind]}) AS "{name}"'


def _replace_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with null for NaN: engines write one or the other for "missing"."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def find_unreadable(table: Table, cells: pa.Table, typed: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return a mask a column: true where a cell held something and it couldn't be read."""
    return {
        name: pc.and_(pc.is_valid(_replace_nan(cells[name])), pc.is_null(typed[name]))
        for name in table.columns
        if name in cells.column_names
    }
