"""A column of any type beside the contract's, and any time zone, never stop a check."""

from __future__ import annotations

import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.validation.quarantine import REASON, ROW_NUMBER
from features.validation.validate import validate
from tests.worlds.sources import as_arrow, order, required_source, write_parquet

BEYOND = 2**60
"""Microseconds: a time after the year 9999."""


def check_with(directory: Path, orders: pa.Table) -> pa.Table:
    """Check a source whose last order is bad; return the quarantine of the orders."""
    data = write_parquet(directory / "data", required_source())
    pq.write_table(orders, data / "orders.parquet")
    report = validate(data, directory / "out")
    assert report.rows_quarantined == 1
    return pq.read_table(directory / "out" / "quarantine" / "orders.parquet")


def orders_with_bad_row() -> pa.Table:
    return as_arrow("orders", [*required_source()["orders"], order("bad", units=0)])


UUID = uuid.UUID("c2d3e91c-34ef-4681-b3f1-3d41b0121e36")
VIEW = pa.string_view()
ODD = [
    (pa.array([b"\xff\xfe"]), "fffe"),
    (pa.array([b"ok"]), "ok"),
    (pa.array([b"\xff\x00"], pa.binary(2)), "ff00"),
    (pa.array([b"\xff"]).dictionary_encode(), "ff"),
    (pa.ExtensionArray.from_storage(pa.uuid(), pa.array([UUID.bytes], pa.binary(16))), str(UUID)),
    (pa.array([[BEYOND]], pa.list_(pa.timestamp("us"))), f'["<value out of range: {BEYOND}>"]'),
    (pa.array([BEYOND], pa.timestamp("us")), f"<value out of range: {BEYOND}>"),
    (pa.array([2**31 - 1], pa.int32()).cast(pa.date32()), "<value out of range: 2147483647>"),
    (pa.array([10**15]).cast(pa.timestamp("us", "UTC+8")), "2001-09-09 01:46:40.000000Z"),
    (pa.array([{"a": [1, None], "b": "é"}]), '{"a": [1, null], "b": "é"}'),
    (pa.array([float("nan")]), "nan"),
    (pa.array([None], pa.binary()), None),
    (pa.array(["a"], VIEW), "a"),
    (pa.array([b"\xff"], pa.binary_view()), "ff"),
    (pa.array([["a"]], pa.list_(VIEW)), '["a"]'),
    (pa.array([["a"]], pa.large_list(VIEW)), '["a"]'),
    (pa.array([["a"]], pa.list_(VIEW, 1)), '["a"]'),
    (pa.array([{"a": ["b"]}], pa.struct([("a", pa.list_(VIEW))])), '{"a": ["b"]}'),
    (pa.array([[("a", "b")]], pa.map_(VIEW, VIEW)), '[{"key": "a", "value": "b"}]'),
    (pa.ExtensionArray.from_storage(pa.json_(VIEW), pa.array(["{}"], VIEW)), "{}"),
]


@pytest.mark.parametrize(("cells", "expected"), ODD, ids=[str(cells.type) for cells, _ in ODD])
def test_quarantine_shows_a_column_of_any_type(
    tmp_path: Path, cells: pa.Array, expected: str | None
) -> None:
    orders = orders_with_bad_row()
    odd = pa.concat_arrays([cells] * len(orders))
    quarantined = check_with(tmp_path, orders.append_column("odd", odd))
    assert quarantined["odd"].to_pylist() == [expected]


def test_check_reads_columns_of_views(tmp_path: Path) -> None:
    orders = orders_with_bad_row()
    place = orders.schema.get_field_index("listing_id")
    views = pa.array(orders["listing_id"].to_pylist(), VIEW)
    quarantined = check_with(tmp_path, orders.set_column(place, "listing_id", views))
    assert quarantined["listing_id"].to_pylist() == orders["listing_id"].to_pylist()[-1:]


def test_quarantine_of_repaired_rows_has_its_own_columns_once(tmp_path: Path) -> None:
    orders = orders_with_bad_row()
    first = check_with(tmp_path / "first", orders)
    earlier = pa.array(["earlier"] * len(orders))
    for name in (REASON, ROW_NUMBER):
        orders = orders.append_column(name, earlier)
    assert check_with(tmp_path / "second", orders).equals(first)


@pytest.mark.parametrize("zone", ["UTC+8", "GMT+08:00", "Z", "utc", "Mars/Olympus"])
def test_check_reads_times_with_a_zone_that_no_database_knows(tmp_path: Path, zone: str) -> None:
    # Whatever the zone is, Parquet stores the moment in UTC.
    orders = orders_with_bad_row()
    place = orders.schema.get_field_index("event_time")
    zoned = orders["event_time"].cast(pa.int64()).cast(pa.timestamp("us", zone))
    quarantined = check_with(tmp_path, orders.set_column(place, "event_time", zoned))
    assert quarantined["event_time"].to_pylist() == ["2024-03-02 12:00:00.000000Z"]
    valid = pq.read_table(tmp_path / "out" / "orders.parquet")["event_time"].to_pylist()
    assert valid == orders["event_time"].to_pylist()[:-1]
