"""Row checks: each column's rule catches what it should, and a row keeps all its reasons."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from features.contract.tables import TABLE_BY_NAME
from features.files.table_files import RawBatch
from features.validation.row_checks import AFTER_9999, IN_1970, CheckedBatch, check_batch
from tests.worlds.sources import Row, small_source

CONTROL = "has a line break, a tab or a control character"
FAR_OFF = "outside 2000-01-01 to 2100-01-01"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def as_text(row: Row) -> dict[str, str | None]:
    return {name: None if cell is None else str(cell) for name, cell in row.items()}


def check(
    connection: duckdb.DuckDBPyConnection, table: str, rows: list[Row], malformed: int = 0
) -> CheckedBatch:
    """Check rows as CSV has them; the first few count as malformed."""
    names = dict.fromkeys(name for row in rows for name in row)
    schema = pa.schema([(name, pa.string()) for name in names])
    cells = pa.Table.from_pylist([as_text(row) for row in rows], schema)
    numbers = np.arange(101, 101 + len(rows))
    batch = RawBatch(cells, numbers, np.arange(len(rows)) < malformed)
    return check_batch(connection, TABLE_BY_NAME[table], batch)


def reasons(checked: CheckedBatch) -> list[str]:
    faults = sorted(checked.faults.to_pylist(), key=lambda fault: fault["column_index"])
    return [fault["reason"] for fault in faults]


@pytest.mark.parametrize("table", list(TABLE_BY_NAME))
def test_checks_of_each_table_accept_its_valid_rows(
    connection: duckdb.DuckDBPyConnection, table: str
) -> None:
    rows = small_source()[table]
    checked = check(connection, table, rows)
    assert checked.faults.num_rows == 0
    expected = [{**dict.fromkeys(TABLE_BY_NAME[table].columns), **row} for row in rows]
    numbered = [{**row, "row_number": 101 + index} for index, row in enumerate(expected)]
    assert checked.valid.to_pylist() == numbered


@pytest.mark.parametrize(
    ("table", "cells", "expected"),
    [
        ("orders", {"units": "x"}, ["units: not a whole number"]),
        ("orders", {"units": 0}, ["units: outside 1 to 1,000,000"]),
        ("orders", {"units": 2.5}, ["units: not a whole number"]),
        ("orders", {"units": None}, ["units: missing"]),
        ("orders", {"unit_price_minor": -1}, ["unit_price_minor: outside 0 to 10,000,000,000"]),
        ("orders", {"buyer_key": None}, []),
        ("orders", {"buyer_key": "a@b.example"}, ["buyer_key: has the sign @"]),
        ("orders", {"order_id": "line\n"}, [f"order_id: {CONTROL}"]),
        ("orders", {"order_id": "x" * 129}, ["order_id: longer than 128 characters"]),
        ("orders", {"order_id": "订单 7"}, []),
        ("orders", {"order_id": "../etc/passwd;"}, ["order_id: has .. as a part, as in a path"]),
        ("orders", {"promised_days": "soon"}, ["promised_days: not a number"]),
        ("orders", {"promised_days": 366}, ["promised_days: outside 0 to 365"]),
        ("orders", {"event_time": "1970-01-20 01:29:54"}, [f"event_time: {IN_1970}"]),
        ("orders", {"event_time": "1970-01-01"}, [f"event_time: {IN_1970}"]),
        ("orders", {"event_time": "56897-01-01"}, [f"event_time: {AFTER_9999}"]),
        ("orders", {"event_time": "1971-01-01"}, [f"event_time: {FAR_OFF}"]),
        ("orders", {"event_time": "9999-12-31"}, [f"event_time: {FAR_OFF}"]),
        ("orders", {"event_time": "1999-12-31 23:59:59.999999"}, [f"event_time: {FAR_OFF}"]),
        (
            "orders",
            {"event_time": "yesterday"},
            ["event_time: not a time such as 2024-03-01 12:00:00"],
        ),
        ("orders", {"available_at": None}, []),
        ("orders", {"available_at": "0001-01-01"}, [f"available_at: {FAR_OFF}"]),
        ("listings", {"market": "UK"}, ["market: not one of the allowed words"]),
        ("listings", {"currency": "euro"}, ["currency: not one of the allowed words"]),
        ("listings", {"list_price_minor": 0}, ["list_price_minor: outside 1 to 10,000,000,000"]),
        ("listings", {"mode": None}, []),
        ("products", {"title": "x" * 2001}, ["title: longer than 2,000 characters"]),
        ("products", {"title": "=cmd()\nこんにちは 'quoted'"}, []),
        ("products", {"weight_g": "inf"}, ["weight_g: not a number"]),
        ("reviews", {"rating": 6}, ["rating: outside 1 to 5"]),
        ("reviews", {"has_media": "perhaps"}, ["has_media: not true or false"]),
        ("videos", {"sentiment": -1.01}, ["sentiment: outside -1 to 1"]),
        ("policy_events", {"severity": 4}, ["severity: outside 1 to 3"]),
        (
            "orders",
            {"units": "x", "order_line_id": None, "unit_price_minor": -1, "event_time": "?"},
            [
                "order_line_id: missing",
                "units: not a whole number",
                "unit_price_minor: outside 0 to 10,000,000,000",
                "event_time: not a time such as 2024-03-01 12:00:00",
            ],
        ),
    ],
)
def test_checks_of_a_spoilt_row_give_all_reasons_in_contract_order(
    connection: duckdb.DuckDBPyConnection, table: str, cells: Row, expected: list[str]
) -> None:
    row = small_source()[table][0]
    checked = check(connection, table, [row, {**row, **cells}, row])
    assert reasons(checked) == expected
    assert set(checked.faults["row_number"].to_pylist()) == ({102} if expected else set())
    assert checked.valid["row_number"].to_pylist() == ([101, 103] if expected else [101, 102, 103])


@pytest.mark.parametrize("malformed", [1, 3])
def test_checks_of_malformed_rows_read_no_cell_of_them(
    connection: duckdb.DuckDBPyConnection, malformed: int
) -> None:
    checked = check(
        connection, "orders", [{**small_source()["orders"][0], "units": "x"}] * 3, malformed
    )
    assert reasons(checked) == ["wrong number of cells"] * malformed + [
        "units: not a whole number"
    ] * (3 - malformed)
    assert checked.valid.num_rows == 0
    assert checked.filled["units"] == 3 - malformed
    assert checked.readable["units"] == 0
