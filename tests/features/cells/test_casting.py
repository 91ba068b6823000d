"""Reading cells: what each kind accepts from CSV and from each Parquet type."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pandera.pandas as pa_schema
import pyarrow as pa
import pytest

from features.cells.casting import cast_cells, find_unreadable, is_castable
from features.contract.columns import ColumnKind, Privacy, Table, declare

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC).replace(tzinfo=None)
NOON_UTC = pa.array([NOON], pa.timestamp("us", "UTC"))
BAD = "bad"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def one_column(kind: ColumnKind) -> Table:
    privacy = Privacy.FREE_TEXT if kind is ColumnKind.TEXT else Privacy.OPEN
    column = declare(kind, "a cell", nullable=True, privacy=privacy)
    schema = pa_schema.DataFrameSchema({"cell": column})
    return Table(name="table", row="a row", key=("cell",), schema=schema)


def read(connection: duckdb.DuckDBPyConnection, kind: ColumnKind, cells: pa.Array) -> list[object]:
    table, source = one_column(kind), pa.table({"cell": cells})
    typed = cast_cells(connection, table, source)
    bad = find_unreadable(table, source, typed)["cell"].to_pylist()
    values = typed["cell"].to_pylist()
    return [BAD if is_bad else value for value, is_bad in zip(values, bad, strict=True)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ColumnKind.TEXT, {"": "", " a ": " a ", "NULL": "NULL", "007": "007"}),
        (ColumnKind.INTEGER, {"7": 7, " 7 ": 7, "+7": 7, "-7": -7, "7.0": 7, "7.": 7, "007": 7}),
        (
            ColumnKind.INTEGER,
            {"7.5": BAD, "1e3": BAD, "1_000": BAD, "1,000": BAD, "x": BAD, "": None},
        ),
        (ColumnKind.INTEGER, {"9" * 18: int("9" * 18), "9" * 19: BAD, "0x10": BAD, "nan": None}),
        (ColumnKind.NUMBER, {"7": 7.0, " .5 ": 0.5, "1e3": 1000.0, "-0.25": -0.25}),
        (ColumnKind.NUMBER, {"nan": None, "inf": BAD, "-Infinity": BAD, "1e999": BAD, "1,5": BAD}),
        (ColumnKind.FLAG, {"true": True, "False": False, " 1 ": True, "0": False, "yes": True}),
        (ColumnKind.FLAG, {"2": BAD, "maybe": BAD, "-1": BAD}),
        (ColumnKind.TIME, {"2024-03-01 12:00": NOON, "2024-03-01T12:00:00Z": NOON}),
        (
            ColumnKind.TIME,
            {"2024-03-01T20:00:00+08:00": NOON, " 2024-03-01 12:00:00.000000 ": NOON},
        ),
        (ColumnKind.TIME, {"2024-03-01": NOON.replace(hour=0)}),
        (
            ColumnKind.TIME,
            {"01/03/2024": BAD, "2024-02-30": BAD, "infinity": BAD, "1709294400": BAD},
        ),
    ],
)
def test_casting_of_text_reads_what_is_meant_and_nothing_else(
    connection: duckdb.DuckDBPyConnection, kind: ColumnKind, expected: dict[str, object]
) -> None:
    assert read(connection, kind, pa.array(list(expected))) == list(expected.values())


@pytest.mark.parametrize(
    ("kind", "cells", "expected"),
    [
        (ColumnKind.TEXT, pa.array([7, None]), ["7", None]),
        (ColumnKind.TEXT, pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (ColumnKind.TEXT, pa.array(["a"], pa.large_string()), ["a"]),
        (ColumnKind.TEXT, pa.array(["a"], pa.string_view()), ["a"]),
        (ColumnKind.INTEGER, pa.array([7], pa.int8()), [7]),
        (ColumnKind.INTEGER, pa.array([7, 2**63], pa.uint64()), [7, BAD]),
        (
            ColumnKind.INTEGER,
            pa.array([7.0, 7.5, float("nan"), None, 1e300]),
            [7, BAD, None, None, BAD],
        ),
        (ColumnKind.INTEGER, pa.array([Decimal("7.00"), Decimal("7.50")]), [7, BAD]),
        (ColumnKind.NUMBER, pa.array([7], pa.int32()), [7.0]),
        (ColumnKind.NUMBER, pa.array([0.5, float("nan")], pa.float32()), [0.5, None]),
        (ColumnKind.FLAG, pa.array([0, 1, 2, None]), [False, True, BAD, None]),
        (ColumnKind.FLAG, pa.array([True, None]), [True, None]),
        (ColumnKind.TIME, pa.array([NOON], pa.timestamp("ns")), [NOON]),
        (ColumnKind.TIME, pa.array([NOON], pa.timestamp("s")), [NOON]),
        (ColumnKind.TIME, NOON_UTC.cast(pa.timestamp("ms", "Asia/Shanghai")), [NOON]),
        (ColumnKind.TIME, NOON_UTC.cast(pa.timestamp("us", "+08:00")), [NOON]),
        (ColumnKind.TIME, pa.array([date(2024, 3, 1)]), [NOON.replace(hour=0)]),
        (ColumnKind.TIME, pa.nulls(2), [None, None]),
        (ColumnKind.INTEGER, pa.nulls(1), [None]),
    ],
)  # fmt: skip
def test_casting_of_parquet_types_keeps_the_value(
    connection: duckdb.DuckDBPyConnection, kind: ColumnKind, cells: pa.Array, expected: list[object]
) -> None:
    assert read(connection, kind, cells) == expected


@pytest.mark.parametrize(
    ("kind", "arrow_type"),
    [
        (ColumnKind.INTEGER, pa.bool_()),
        (ColumnKind.INTEGER, pa.timestamp("us")),
        (ColumnKind.NUMBER, pa.bool_()),
        (ColumnKind.TEXT, pa.float16()),
        (ColumnKind.TEXT, pa.binary()),
        (ColumnKind.TEXT, pa.list_(pa.string())),
        (ColumnKind.TIME, pa.int64()),
        (ColumnKind.TIME, pa.duration("us")),
    ],
)
def test_casting_of_types_that_mean_something_else_is_not_tried(
    kind: ColumnKind, arrow_type: pa.DataType
) -> None:
    assert not is_castable(kind, arrow_type)


def test_casting_separates_columns_that_differ_in_case_only(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    cells = pa.table({"CELL": ["x"], "cell": ["7"], "Cell": ["y"]})
    assert cast_cells(connection, one_column(ColumnKind.INTEGER), cells)["cell"].to_pylist() == [7]
