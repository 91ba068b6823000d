"""One table of the kinds of cells that exports really hold, and what each is read as.

`read` casts a column as `check`, `score` and the importers do, and gives the reason of a cell that
can't be read as reports print it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import duckdb
import pandera.pandas as pandera
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cells.casting import cast_cells, find_unreadable, is_castable
from features.cells.faults import explain_unreadable
from features.cells.identifiers import read_identifier
from features.cells.mended import count_mended
from features.cells.text_columns import read_identifiers
from features.contract.columns import (
    Table,
    choice,
    column_kind,
    count,
    flag,
    identifier,
    moment,
    money,
    number,
)

COLUMNS = {
    "identifier": identifier("an identifier", nullable=True),
    "word": choice("a word", frozenset({"US", "NA"}), nullable=True),
    "money": money("money", nullable=True),
    "count": count("a count", unit="units"),
    "number": number("a number", unit="g", low=0, high=1e9, nullable=True),
    "flag": flag("a flag"),
    "time": moment("a time", nullable=True),
}
ROUNDED = "a number that a spreadsheet rounded; export it again, as text"
SKIPPED = (
    "a time that the clocks of its zone skip, or an unknown zone; write the offset, such as +08:00"
)
MONEY = "has a fraction; write cents or pence, such as 1999 for 19.99"
CURRENCY = "has a currency sign; write cents or pence alone, such as 1999"
COMMA = "has a comma; write a whole number without thousands signs"
ZEROS = "has a point before three zeros: write 1000 or 1"
MICROSECONDS = 1_733_394_600_000_000
DAY_FIRST = "the day or the month comes first; write 2024-03-01 12:00:00"


def in_letters(zone: str) -> str:
    return f"a time zone in letters{zone}; write the offset, for instance +08:00"


def at(hour: int, minute: int = 0, *, month: int = 12, day: int = 5) -> datetime:
    return datetime(2024, month, day, hour, minute)  # noqa: DTZ001 - validated times are naive


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def as_table(column: str) -> Table:
    schema = pandera.DataFrameSchema({"cell": COLUMNS[column]})
    return Table(name="table", row="a row", key=("cell",), schema=schema)


def read(connection: duckdb.DuckDBPyConnection, column: str, cells: pa.Array) -> list[object]:
    table, source = as_table(column), pa.table({"cell": cells})
    typed = cast_cells(connection, table, source)
    values: list[object] = typed["cell"].to_pylist()
    for fault in explain_unreadable(table, source, find_unreadable(table, source, typed)):
        for row, is_bad in enumerate(fault.cells.to_pylist()):
            values[row] = fault.reason if is_bad else values[row]
    return values


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("identifier", "P00001411 ", "P00001411"),
        ("identifier", "\u3000P1\u00a0", "P1"),
        ("identifier", " ", None),
        ("identifier", "17850.0", "17850"),
        ("identifier", "NULL", None),
        ("identifier", "'NULL", None),
        ("identifier", " ' N/A", None),
        ("identifier", "5.76E+17", ROUNDED),
        ("identifier", "5.76E17", ROUNDED),
        ("identifier", "1.000", "1.000"),
        ("identifier", "u\u0308ber", "über"),
        ("identifier", "ครีมกันแดด", "ครีมกันแดด"),
        ("identifier", "Home & Kitchen", "Home & Kitchen"),
        ("identifier", "Women's", "Women's"),
        ("identifier", "#1001", "#1001"),
        ("identifier", "bGlzdA==", "bGlzdA=="),
        ("identifier", "a;b", "has the sign ;"),
        ("word", " US", "US"),
        ("word", "NA", "NA"),
        ("word", "n/a", None),
        ("word", "a@b", "not one of the allowed words"),
        ("money", "1999", 1999),
        ("money", " +1999.00\u00a0", 1999),
        ("money", "19.99", MONEY),
        ("money", "$19.99", CURRENCY),
        ("money", "€ 20", CURRENCY),
        ("money", "300,5", MONEY),
        ("money", "1,999", COMMA),
        ("money", "1 999", "has a thousands sign; leave it out"),
        ("money", "None", None),
        ("money", "'NULL", None),
        ("money", "1.000", ZEROS),
        ("money", "-999.000", ZEROS),
        ("money", "1.000.000", ZEROS),
        ("money", "1000.000", 1000),
        ("money", "0.000", 0),
        ("money", "1.0000", 1),
        ("money", "1_000", "not a whole number"),
        ("money", ".0", "not a whole number"),
        ("count", "12.0", 12),
        ("count", "+7", 7),
        ("count", "2.000", ZEROS),
        ("count", "2.5", "not a whole number"),
        ("count", "2,5", COMMA),
        ("count", "1e3", "not a whole number"),
        ("number", "12%", "has a percent sign; write the number alone"),
        ("number", "0,5", "has a comma; write a point and no thousands signs"),
        ("number", "1.000", 1.0),
        ("number", "1_000", "not a number"),
        ("number", "NaN", None),
        ("number", "heavy", "not a number"),
        ("flag", "1.0", True),
        ("flag", "maybe", "not true or false"),
        ("time", "2024-12-05 10:30:00 -0500", at(15, 30)),
        ("time", "2024-12-05T10:30:00+08", at(2, 30)),
        ("time", "2024-12-05 10:30 UTC+8", at(2, 30)),
        ("time", "2024-12-05 10:30 GMT+08:00", at(2, 30)),
        ("time", "2024-12-05 10:30:00 utc", at(10, 30)),
        ("time", "2024-12-05T10:30:00 Z", at(10, 30)),
        ("time", "\u00a02024-12-05 10:30\u3000", at(10, 30)),
        ("time", "2024-12-05 10:30:00 Asia/Shanghai", at(2, 30)),
        ("time", "2024-12-05 10:30:00 Etc/GMT+8", at(18, 30)),
        ("time", "2024-10-27 02:30:00 Europe/Berlin", at(1, 30, month=10, day=27)),
        ("time", "2024-03-31 02:30:00 Europe/Berlin", SKIPPED),
        ("time", "2024-12-05 10:30:00 Asia/Atlantis", SKIPPED),
        ("time", "2024-07-15 12:00:00 CST", in_letters(" (CST)")),
        ("time", "2024-07-15 12:00:00 XYZ", in_letters("")),
        ("time", "1733394600", "seconds since 1970; write a time such as 2024-03-01 12:00:00"),
        (
            "time",
            "1733394600000",
            "milliseconds since 1970; write a time such as 2024-03-01 12:00:00",
        ),
        (
            "time",
            "45631.4375",
            "a spreadsheet's day number; format the cells as dates",
        ),
        ("time", "05/12/2024 10:30", DAY_FIRST),
        ("time", "2024-07-15 1:00 PM", "a time with AM or PM; write 13:00 for 1 PM"),
        ("time", "2024-07-15 12:00 China Standard Time", in_letters("")),
        ("time", "2024-02-30 12:00 UTC", "not a time such as 2024-03-01 12:00:00"),
        ("time", "2024-12-05 10:30:00+99:00", "not a time such as 2024-03-01 12:00:00"),
        ("time", "2024-12-05 10:30:00.5-16:00", "not a time such as 2024-03-01 12:00:00"),
        ("time", "2024-12-05 10:30-14", datetime(2024, 12, 6, 0, 30)),  # noqa: DTZ001 - naive UTC
        ("time", "2024-12-25", at(0, day=25)),
        ("time", "NaT", None),
        ("time", "epoch", "not a time such as 2024-03-01 12:00:00"),
    ],
)
def test_text_of_each_kind_is_read_or_refused_with_its_cause(
    connection: duckdb.DuckDBPyConnection, column: str, cell: str, expected: object
) -> None:
    assert read(connection, column, pa.array([cell])) == [expected]
    # A cell in the middle of others changes none of them.
    assert read(connection, column, pa.array([None, cell, cell])) == [None, expected, expected]


@pytest.mark.parametrize(
    ("column", "cells", "expected"),
    [
        ("identifier", pa.array([17850, None]), ["17850", None]),
        ("identifier", pa.array([17850.0, float("nan"), None]), ["17850", None, None]),
        ("identifier", pa.array([2.0**60, 1.5]), [ROUNDED, "1.5"]),
        ("identifier", pa.array([2.0**25], pa.float32()), [ROUNDED]),
        ("identifier", pa.array([float("inf")]), [ROUNDED]),
        ("identifier", pa.array([Decimal("17850.00")]), ["17850"]),
        ("identifier", pa.array([Decimal("1.000")]), ["1"]),
        ("identifier", pa.array([Decimal("1.000")], pa.decimal256(50, 3)), ["1"]),
        ("identifier", pa.array([" a ", None]).dictionary_encode(), ["a", None]),
        ("identifier", pa.array([" a "], pa.large_string()), ["a"]),
        ("identifier", pa.array([" a "], pa.string_view()), ["a"]),
        ("money", pa.array([1999.0, float("nan"), 19.99]), [1999, None, MONEY]),
        ("money", pa.array([Decimal("1999.00")], pa.decimal32(6, 2)), [1999]),
        ("money", pa.array([Decimal("1999.00")], pa.decimal64(10, 2)), [1999]),
        ("money", pa.array([Decimal("1999.00")], pa.decimal128(10, 2)), [1999]),
        ("money", pa.array([Decimal("1999.00")], pa.decimal256(50, 2)), [1999]),
        ("money", pa.array([Decimal("1.000")]), [1]),
        ("money", pa.array([Decimal("1.000")], pa.decimal256(50, 3)), [1]),
        ("money", pa.array([1999.0, float("nan"), 1.5], pa.float16()), [1999, None, MONEY]),
        ("flag", pa.array([1.0], pa.float16()), [True]),
        ("number", pa.array([Decimal("0.50")], pa.decimal256(50, 2)), [0.5]),
        ("flag", pa.array([1.0, 0.0, float("nan"), 2.0]), [True, False, None, "not true or false"]),
        *(
            ("time", pa.array([MICROSECONDS]).cast(pa.timestamp("us", zone)), [at(10, 30)])
            for zone in ("UTC+8", "GMT+08:00", "Z", "utc", "CST", "+08:00", "Asia/Shanghai")
        ),
    ],
    ids=lambda value: str(getattr(value, "type", value))[:40],
)
def test_parquet_column_of_each_type_is_read_as_its_text_would_be(
    connection: duckdb.DuckDBPyConnection, column: str, cells: pa.Array, expected: list[object]
) -> None:
    assert is_castable(column_kind(COLUMNS[column]), cells.type)
    assert read(connection, column, cells) == expected


@given(
    st.lists(
        st.none()
        | st.text(st.characters(codec="utf-8"), max_size=8)
        | st.text(" '.0157Ee+-aNUL\u0308\u00a0/", max_size=8),
        max_size=8,
    )
)
def test_column_of_identifiers_is_read_like_its_single_values(texts: list[str | None]) -> None:
    read_column = read_identifiers(pa.chunked_array([pa.array(texts, pa.string())]))
    assert read_column.to_pylist() == [
        None if text is None else read_identifier(text) for text in texts
    ]


def test_cells_that_mean_something_else_than_they_say_are_counted(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    table = as_table("identifier")
    cells = pa.table({"cell": ["17850.0", "1.0", "17850", "NULL", " ", None, "a@b"]})
    counts = count_mended(table, cells, cast_cells(connection, table, cells))
    assert list(counts.values()) == [1, 2]
