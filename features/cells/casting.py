"""Cast the cells of a source to the types of the contract; a cell that can't be cast is null."""

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
    """A group of Arrow types that are cast in the same way."""

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
"""DuckDB's expression that casts a cell of a group to a kind; null if it can't be cast.

The connection's time zone is UTC, so that a text without a zone counts as UTC. A pair that is
missing here can't be cast at all.
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
    """Return the group of an Arrow type; None for a type that the contract can't use."""
    if pa.types.is_dictionary(arrow_type):
        return cast_group(arrow_type.value_type)
    if pa.types.is_timestamp(arrow_type):
        return CastGroup.TIME if arrow_type.tz is None else CastGroup.ZONED_TIME
    return next((group for is_type, group in _GROUP_TESTS if is_type(arrow_type)), None)


def is_castable(kind: ColumnKind, arrow_type: pa.DataType) -> bool:
    """Return True if a column of this Arrow type can hold values of a kind."""
    group = cast_group(arrow_type)
    return group is CastGroup.NOTHING or (kind, group) in CAST_EXPRESSIONS


def arrow_schema(table: Table) -> pa.Schema:
    """Return the schema of a table's validated form: all columns, in contract order."""
    return pa.schema(
        [(name, ARROW_TYPES[column_kind(column)]) for name, column in table.columns.items()]
    )


def cast_cells(connection: duckdb.DuckDBPyConnection, table: Table, cells: pa.Table) -> pa.Table:
    """Return the cells in the table's validated form; a cell that can't be cast is null.

    An optional column that the source lacks is null. The time zone of `connection` is UTC.
    """
    present = [name for name in table.columns if name in cells.column_names]
    # Numbered names: DuckDB takes `Units` and `units` for the same name.
    aliases = {name: f"c{index}" for index, name in enumerate(present)}
    aliased = pa.table([_replace_nan(cells[name]) for name in present], names=[*aliases.values()])
    types = {name: cells.schema.field(name).type for name in present}
    expressions = [
        _cast_expression(
            name, column_kind(column), types.get(name, pa.null()), aliases.get(name, "")
        )
        for name, column in table.columns.items()
    ]
    # DuckDB keeps the order of rows by default.
    typed = connection.from_arrow(aliased).project(", ".join(expressions)).to_arrow_table()
    return typed.cast(arrow_schema(table))


def _cast_expression(name: str, kind: ColumnKind, arrow_type: pa.DataType, alias: str) -> str:
    group = cast_group(arrow_type)
    cast = CAST_EXPRESSIONS[kind, group] if group and group is not CastGroup.NOTHING else "NULL"
    return f'CAST({cast.replace("CELL", alias)} AS {SQL_TYPES[kind]}) AS "{name}"'


def _replace_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with null for NaN: some engines write NaN for a missing value."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def find_unreadable(table: Table, cells: pa.Table, typed: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return a mask per column: true for a cell that has a value which can't be cast."""
    return {
        name: pc.and_(pc.is_valid(_replace_nan(cells[name])), pc.is_null(typed[name]))
        for name in table.columns
        if name in cells.column_names
    }
