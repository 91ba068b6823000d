"""Reading cells: what each kind accepts from CSV and from each Parquet type."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pandera.pandas as pa_schema
import pyarrow as pa
import pytest

from features.contract.columns import Kind, Table, declare
from features.validation.casting import can_be_read, cast_cells, unreadable

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC).replace(tzinfo=None)
NOON_UTC = pa.array([NOON], pa.timestamp("us", "UTC"))
BAD = "bad"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def one_column(kind: Kind) -> Table:
    schema = pa_schema.DataFrameSchema({"cell": declare(kind, "a cell", nullable=True)})
    return Table(name="table", row="a row", key=("cell",), schema=schema)


def read(connection: duckdb.DuckDBPyConnection, kind: Kind, cells: pa.Array) -> list[object]:
    table, source = one_column(kind), pa.table({"cell": cells})
    typed = cast_cells(connection, table, source)
    bad = unreadable(table, source, typed)["cell"].to_pylist()
    values = typed["cell"].to_pylist()
    return [BAD if is_bad else value for value, is_bad in zip(values, bad, strict=True)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.TEXT, {"": "", " a ": " a ", "手机壳": "手机壳", "007": "007"}),
        (Kind.INTEGER, {"7": 7, " 7 ": 7, "+7": 7, "-7": -7, "7.0": 7, "7.": 7, "007": 7}),
        (Kind.INTEGER, {"7.5": BAD, "1e3": BAD, "1_000": BAD, "1,000": BAD, "x": BAD, "": BAD}),
        (Kind.INTEGER, {"9" * 18: int("9" * 18), "9" * 19: BAD, "0x10": BAD, "nan": BAD}),
        (Kind.NUMBER, {"7": 7.0, " .5 ": 0.5, "1e3": 1000.0, "-0.25": -0.25}),
        (Kind.NUMBER, {"nan": BAD, "inf": BAD, "-Infinity": BAD, "1e999": BAD, "1,5": BAD}),
        (Kind.FLAG, {"true": True, "False": False, " 1 ": True, "0": False, "yes": True}),
        (Kind.FLAG, {"2": BAD, "maybe": BAD, "-1": BAD}),
        (Kind.TIME, {"2024-03-01 12:00": NOON, "2024-03-01T12:00:00Z": NOON}),
        (Kind.TIME, {"2024-03-01T20:00:00+08:00": NOON, " 2024-03-01 12:00:00.000000 ": NOON}),
        (Kind.TIME, {"2024-03-01": NOON.replace(hour=0)}),
        (Kind.TIME, {"01/03/2024": BAD, "2024-02-30": BAD, "infinity": BAD, "1709294400": BAD}),
    ],
)
def test_casting_of_text_reads_what_is_meant_and_nothing_else(
    connection: duckdb.DuckDBPyConnection, kind: Kind, expected: dict[str, object]
) -> None:
    assert read(connection, kind, pa.array(list(expected))) == list(expected.values())


@pytest.mark.parametrize(
    ("kind", "cells", "expected"),
    [
        (Kind.TEXT, pa.array([7, None]), ["7", None]),
        (Kind.TEXT, pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (Kind.TEXT, pa.array(["a"], pa.large_string()), ["a"]),
        (Kind.TEXT, pa.array(["a"], pa.string_view()), ["a"]),
        (Kind.INTEGER, pa.array([7], pa.int8()), [7]),
        (Kind.INTEGER, pa.array([7, 2**63], pa.uint64()), [7, BAD]),
        (Kind.INTEGER, pa.array([7.0, 7.5, float("nan"), None, 1e300]), [7, BAD, None, None, BAD]),
        (Kind.INTEGER, pa.array([Decimal("7.00"), Decimal("7.50")]), [7, BAD]),
        (Kind.NUMBER, pa.array([7], pa.int32()), [7.0]),
        (Kind.NUMBER, pa.array([0.5, float("nan")], pa.float32()), [0.5, None]),
        (Kind.FLAG, pa.array([0, 1, 2, None]), [False, True, BAD, None]),
        (Kind.FLAG, pa.array([True, None]), [True, None]),
        (Kind.TIME, pa.array([NOON], pa.timestamp("ns")), [NOON]),
        (Kind.TIME, pa.array([NOON], pa.timestamp("s")), [NOON]),
        (Kind.TIME, NOON_UTC.cast(pa.timestamp("ms", "Asia/Shanghai")), [NOON]),
        (Kind.TIME, NOON_UTC.cast(pa.timestamp("us", "+08:00")), [NOON]),
        (Kind.TIME, pa.array([date(2024, 3, 1)]), [NOON.replace(hour=0)]),
        (Kind.TIME, pa.nulls(2), [None, None]),
        (Kind.INTEGER, pa.nulls(1), [None]),
    ],
)  # fmt: skip
def test_casting_of_parquet_types_keeps_the_value(
    connection: duckdb.DuckDBPyConnection, kind: Kind, cells: pa.Array, expected: list[object]
) -> None:
    assert read(connection, kind, cells) == expected


@pytest.mark.parametrize(
    ("kind", "arrow_type"),
    [
        (Kind.INTEGER, pa.bool_()),
        (Kind.INTEGER, pa.timestamp("us")),
        (Kind.NUMBER, pa.bool_()),
        (Kind.NUMBER, pa.float16()),
        (Kind.TEXT, pa.float64()),
        (Kind.TEXT, pa.binary()),
        (Kind.TEXT, pa.list_(pa.string())),
        (Kind.FLAG, pa.float64()),
        (Kind.TIME, pa.int64()),
        (Kind.TIME, pa.duration("us")),
    ],
)
def test_casting_of_types_that_mean_something_else_is_not_tried(
    kind: Kind, arrow_type: pa.DataType
) -> None:
    assert not can_be_read(kind, arrow_type)


def test_casting_tells_columns_apart_that_differ_in_case_only(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    cells = pa.table({"CELL": ["x"], "cell": ["7"], "Cell": ["y"]})
    assert cast_cells(connection, one_column(Kind.INTEGER), cells)["cell"].to_pylist() == [7]
