"""Cast the cells of a source to the types of the contract; a cell that can't be cast is null."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

import duckdb
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc

from features.cells.text_columns import (
    find_missing,
    format_numbers,
    read_identifiers,
    trim_blanks,
)
from features.cells.times import read_times
from features.contract.columns import (
    ARROW_TYPES,
    ColumnKind,
    Privacy,
    Table,
    column_kind,
    column_privacy,
)


class CastGroup(Enum):
    """A group of Arrow types that are cast in the same way."""

    TEXT = auto()
    INTEGER = auto()
    REAL = auto()
    FLAG = auto()
    TIME = auto()
    NOTHING = auto()


SQL_TYPES: Final = {
    ColumnKind.TEXT: "VARCHAR",
    ColumnKind.INTEGER: "BIGINT",
    ColumnKind.NUMBER: "DOUBLE",
    ColumnKind.FLAG: "BOOLEAN",
    ColumnKind.TIME: "TIMESTAMP",
}

_WHOLE_NUMBER: Final = r"[+-]?(\d{1,18}(\.(0{0,2}|0{4,}))?|(0\d*|\d{4,18})\.000)"
"""`1.000` may be a thousand or one, so it is neither."""
_ARROW: Final = ""
CAST_EXPRESSIONS: Final = {
    (ColumnKind.TEXT, CastGroup.TEXT): _ARROW,
    (ColumnKind.TEXT, CastGroup.INTEGER): _ARROW,
    (ColumnKind.TEXT, CastGroup.REAL): _ARROW,
    (ColumnKind.INTEGER, CastGroup.TEXT): (
        rf"CASE WHEN regexp_full_match(CELL, '{_WHOLE_NUMBER}')"
        " THEN TRY_CAST(split_part(CELL, '.', 1) AS BIGINT) END"
    ),
    (ColumnKind.INTEGER, CastGroup.INTEGER): "TRY_CAST(CELL AS BIGINT)",
    (
        ColumnKind.INTEGER,
        CastGroup.REAL,
    ): "CASE WHEN CELL = trunc(CELL) THEN TRY_CAST(CELL AS BIGINT) END",
    (ColumnKind.NUMBER, CastGroup.TEXT): (
        # DuckDB reads 1_000 as a thousand.
        "CASE WHEN isfinite(TRY_CAST(CELL AS DOUBLE)) AND NOT contains(CELL, '_')"
        " THEN TRY_CAST(CELL AS DOUBLE) END"
    ),
    (ColumnKind.NUMBER, CastGroup.INTEGER): "TRY_CAST(CELL AS DOUBLE)",
    (ColumnKind.NUMBER, CastGroup.REAL): "TRY_CAST(CELL AS DOUBLE)",
    (ColumnKind.FLAG, CastGroup.TEXT): (
        "coalesce(TRY_CAST(CELL AS BOOLEAN), CASE CELL WHEN '0.0' THEN FALSE WHEN '1.0' THEN TRUE"
        " END)"
    ),
    (ColumnKind.FLAG, CastGroup.INTEGER): "CASE CELL WHEN 0 THEN FALSE WHEN 1 THEN TRUE END",
    (ColumnKind.FLAG, CastGroup.REAL): "CASE CELL WHEN 0 THEN FALSE WHEN 1 THEN TRUE END",
    (ColumnKind.FLAG, CastGroup.FLAG): "CELL",
    (ColumnKind.TIME, CastGroup.TEXT): _ARROW,
    (ColumnKind.TIME, CastGroup.TIME): "TRY_CAST(CELL AS TIMESTAMP)",
}
"""DuckDB's expression that casts a cell of a group to a kind; null if it can't be cast.

Identifiers and times in text are read by functions of their own (`_ARROW`). A pair that is missing
here can't be cast at all.
"""

_GROUP_TESTS: Final = (
    (pa.types.is_null, CastGroup.NOTHING),
    (pa.types.is_boolean, CastGroup.FLAG),
    (pa.types.is_integer, CastGroup.INTEGER),
    (pa.types.is_floating, CastGroup.REAL),
    (pa.types.is_decimal, CastGroup.REAL),
    (pa.types.is_string, CastGroup.TEXT),
    (pa.types.is_large_string, CastGroup.TEXT),
    (pa.types.is_string_view, CastGroup.TEXT),
    (pa.types.is_date, CastGroup.TIME),
    (pa.types.is_timestamp, CastGroup.TIME),
)


def cast_group(arrow_type: pa.DataType) -> CastGroup | None:
    """Return the group of an Arrow type; None for a type that the contract can't use."""
    if pa.types.is_dictionary(arrow_type):
        return cast_group(arrow_type.value_type)
    return next((group for is_type, group in _GROUP_TESTS if is_type(arrow_type)), None)


def is_castable(kind: ColumnKind, arrow_type: pa.DataType) -> bool:
    """Return True if a column of this Arrow type can hold values of a kind."""
    if kind is ColumnKind.TEXT and pa.types.is_float16(arrow_type):
        return False  # identifiers above 2,048 would be rounded
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
    plain = {name: simplify(cells[name]) for name in table.columns if name in cells.column_names}
    by_sql = {
        name: expression
        for name, column in plain.items()
        if (expression := _find_expression(table, name, column))
    }
    typed = _cast_by_sql(connection, plain, by_sql)
    for name, column in plain.items():
        if name not in by_sql:
            typed[name] = _cast_by_arrow(connection, table.columns[name], column)
        elif pa.types.is_string(column.type):
            typed[name] = _cast_trimmed(connection, column, typed[name], by_sql[name])
    schema = arrow_schema(table)
    nulls = {name: pa.nulls(len(cells), schema.field(name).type) for name in schema.names}
    return pa.table({**nulls, **typed}).select(schema.names).cast(schema)


def find_unreadable(table: Table, cells: pa.Table, typed: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return a mask per column: true for a cell that has a value which can't be cast."""
    return {
        name: _find_unreadable_cells(cells[name], typed[name])
        for name in table.columns
        if name in cells.column_names
    }


def find_unread(cells: pa.ChunkedArray, typed: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a mask of the cells that became null: they can't be cast, or mean a missing value."""
    return pc.and_(pc.is_valid(simplify(cells)), pc.is_null(typed))


def _find_unreadable_cells(cells: pa.ChunkedArray, typed: pa.ChunkedArray) -> pa.ChunkedArray:
    is_unread = find_unread(cells, typed)
    if cast_group(cells.type) is not CastGroup.TEXT or not pc.any(is_unread).as_py():
        return is_unread
    return pc.and_not(is_unread, find_missing(simplify(cells)))


def simplify(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in a type that DuckDB and Arrow's functions both know; NaN is null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return simplify(column.cast(kind.value_type))
    if pa.types.is_float16(kind):
        return simplify(column.cast(pa.float32()))
    if pa.types.is_floating(kind):
        # Some engines write NaN for a missing value.
        return pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    if pa.types.is_decimal(kind) and not pa.types.is_decimal128(kind):
        # DuckDB has at most 38 digits, and no decimals of 32 or 64 bits.
        is_wide = pa.types.is_decimal256(kind)
        return format_numbers(column) if is_wide else column.cast(pa.decimal128(38, kind.scale))
    if pa.types.is_timestamp(kind):
        # The numbers are UTC whatever the zone is, even one that no database knows.
        return column.cast(pa.timestamp(kind.unit))
    return column.cast(pa.string()) if cast_group(kind) is CastGroup.TEXT else column


def _find_expression(table: Table, name: str, column: pa.ChunkedArray) -> str:
    group = cast_group(column.type)
    if group is None or group is CastGroup.NOTHING:
        return "NULL"
    return CAST_EXPRESSIONS[column_kind(table.columns[name]), group]


def _cast_by_sql(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, pa.ChunkedArray],
    expressions: Mapping[str, str],
) -> dict[str, pa.ChunkedArray]:
    if not expressions:
        return {}
    # Numbered names: DuckDB takes `Units` and `units` for the same name.
    cells = pa.table({f"c{index}": columns[name] for index, name in enumerate(expressions)})
    casts = [
        f"{expression.replace('CELL', f'c{index}')} AS t{index}"
        for index, expression in enumerate(expressions.values())
    ]
    # DuckDB keeps the order of rows by default.
    typed = connection.from_arrow(cells).project(", ".join(casts)).to_arrow_table()
    return dict(zip(expressions, typed.columns, strict=True))


def _cast_trimmed(
    connection: duckdb.DuckDBPyConnection,
    column: pa.ChunkedArray,
    typed: pa.ChunkedArray,
    expression: str,
) -> pa.ChunkedArray:
    """Cast the cells of a column of texts that couldn't be cast again, without blanks."""
    is_failed = pc.and_(pc.is_valid(column), pc.is_null(typed)).combine_chunks()
    if not pc.any(is_failed).as_py():
        return typed
    trimmed = {"cell": trim_blanks(column.filter(is_failed))}
    again = _cast_by_sql(connection, trimmed, {"cell": expression})["cell"]
    return pc.replace_with_mask(typed.combine_chunks(), is_failed, again.combine_chunks())


def _cast_by_arrow(
    connection: duckdb.DuckDBPyConnection, declared: pandera.Column, column: pa.ChunkedArray
) -> pa.ChunkedArray:
    if column_kind(declared) is ColumnKind.TIME:
        return read_times(connection, column)
    text = format_numbers(column)
    is_free = column_privacy(declared) is Privacy.FREE_TEXT
    return text if is_free else read_identifiers(text)
