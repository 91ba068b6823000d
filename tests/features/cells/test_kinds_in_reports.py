"""What `check` reports of the kinds of cells: reasons and warnings, as they are printed."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.cells.faults import MONEY_FRACTION
from features.contract.errors import MajorUnitsError, WrongTypeError
from features.validation.validate import validate
from tests.worlds.sources import Row, order, required_source, write_csv

GOOD = [order("l1"), order("l2")]


def check_orders(directory: Path, orders: list[Row]) -> tuple[list[str], list[str], list[Row]]:
    """Check orders in CSV; return the reasons, the warnings and the valid rows."""
    source = {**required_source(), "orders": orders}
    report = validate(write_csv(directory / "data", source), directory / "out").table("orders")
    valid = pq.read_table(directory / "out" / "orders.parquet").to_pylist()
    return [found.reason for found in report.quarantined], list(report.warnings), valid


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (
            {"order_id": "5.76E+17"},
            "order_id: a number that a spreadsheet rounded; export it again, as text",
        ),
        ({"order_id": "a;b"}, "order_id: has the sign ;"),
        ({"buyer_key": "a@b.example"}, "buyer_key: has the sign @"),
        (
            {"unit_price_minor": "$19.99"},
            "unit_price_minor: has a currency sign; write cents or pence alone, such as 1999",
        ),
        (
            {"unit_price_minor": "1,999"},
            "unit_price_minor: has a comma; write a whole number without thousands signs",
        ),
        (
            {"event_time": "2024-07-15 12:00:00 CST"},
            "event_time: a time zone in letters (CST); write the offset, for instance +08:00",
        ),
        (
            {"available_at": "1733394600"},
            "available_at: seconds since 1970; write a time such as 2024-03-01 12:00:00",
        ),
        (
            {"event_time": "1733394600000"},
            "event_time: milliseconds since 1970; write a time such as 2024-03-01 12:00:00",
        ),
    ],
)
def test_report_says_why_a_cell_cannot_be_read(tmp_path: Path, cells: Row, reason: str) -> None:
    reasons, _, valid = check_orders(tmp_path, [*GOOD, {**order("bad"), **cells}])
    assert reasons == [reason]
    assert len(valid) == len(GOOD)


def test_report_counts_missing_words_and_whole_floats(tmp_path: Path) -> None:
    guests: list[Row] = [order(f"g{n}", buyer_key="NULL") for n in range(3)]
    floats: list[Row] = [order(f"f{n}", buyer_key="17850.0") for n in range(2)]
    plain: list[Row] = [order("p", buyer_key=" 17850\u00a0")]
    reasons, warnings, valid = check_orders(tmp_path, [*guests, *floats, *plain])
    assert reasons == []
    assert warnings == [
        "buyer_key: 3 rows hold words such as NULL, read as missing",
        "buyer_key: 2 rows hold identifiers that end in .0, read without it",
    ]
    assert [row["buyer_key"] for row in valid] == [None, None, None, *["17850"] * 3]


def test_check_joins_identifiers_that_differ_in_spelling_only(tmp_path: Path) -> None:
    source = required_source()
    source["listings"][0]["listing_id"] = "1001.0"
    source["orders"] = [order("l1", " 1001"), order("l2", "1001.0 ")]
    report = validate(write_csv(tmp_path / "data", source), tmp_path / "out")
    assert report.rows_quarantined == 0


def test_check_of_a_column_without_a_readable_cell_says_why(tmp_path: Path) -> None:
    late = [order(f"l{n}", event_time="2024-07-15 12:00:00 CST") for n in range(3)]
    with pytest.raises(WrongTypeError, match=r"none of its 3 values.*: a time zone in letters"):
        check_orders(tmp_path, late)


@pytest.mark.parametrize(
    ("prices", "found"),
    [
        (["19.99", "20.0", "30.0"], "1 of its 3 cells"),
        (["19,99", "20", "1999"], "1 of its 3 cells"),
        (["19.99", *["1999"] * 99], "1 of its 100 cells"),
    ],
)
def test_check_of_prices_in_major_units_refuses_all_of_them(
    tmp_path: Path, prices: list[str], found: str
) -> None:
    orders = [order(f"l{n}", unit_price_minor=price) for n, price in enumerate(prices)]
    with pytest.raises(MajorUnitsError, match=found) as refused:
        check_orders(tmp_path, orders)
    assert not any(f" {price} " in refused.value.problem for price in prices)


def test_check_quarantines_a_slip_among_prices(tmp_path: Path) -> None:
    prices = ["19.99", *["1999"] * 100]
    orders: list[Row] = [order(f"l{n}", unit_price_minor=p) for n, p in enumerate(prices)]
    reasons, _, valid = check_orders(tmp_path, orders)
    assert reasons == [f"unit_price_minor: {MONEY_FRACTION}"]
    assert len(valid) == len(prices) - 1
