"""Warnings of amounts, prices and times far beyond the rest, with the numbers of their rows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from features.validation.validate import validate
from tests.worlds.sources import START, Row, Source, order, required_source, write_parquet

OFF_PRICE = "unit_price_minor: 1 row is 50 times or more above or below the list price (row 41)"
YEARS = timedelta(days=3_650)


def far(column: str, first: str, last: str) -> str:
    return f"{column}: 1 row is far from nearly all others, before {first} or after {last} (row 41)"


def many_orders() -> list[Row]:
    return [order(f"l{line}", happened=line, units=1 + line % 3) for line in range(40)]


def warnings_of(directory: Path, source: Source) -> list[str]:
    report = validate(write_parquet(directory / "data", source), directory / "out")
    assert report.rows_quarantined == 0
    return [warning for table in report.tables for warning in table.warnings]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, []),
        ({"units": 300}, []),
        (
            {"units": 1_000_000},
            ["units: 1 row is more than 100 times as large as nearly all others (row 41)"],
        ),
        (
            {"unit_price_minor": 90_000},
            [OFF_PRICE],
        ),
        (
            {"unit_price_minor": 9},
            [OFF_PRICE],
        ),
        ({"unit_price_minor": 0}, []),
        ({"available_at": START + timedelta(days=300)}, []),
        (
            {"available_at": START + YEARS},
            [far("available_at", "2023-03-04", "2025-04-09")],
        ),
        (
            {"event_time": START - YEARS},
            [far("event_time", "2023-03-03", "2025-04-08")],
        ),
    ],
)
def test_check_warns_of_an_order_far_beyond_the_rest(
    tmp_path: Path, row: Row, expected: list[str]
) -> None:
    source = {**required_source(), "orders": [*many_orders(), {**order("far"), **row}]}
    assert warnings_of(tmp_path, source) == expected


def test_check_of_many_far_rows_shows_the_first(tmp_path: Path) -> None:
    # H57: some orders with a time in 2099.
    late = [order(f"x{n}", available_at=START + 7 * YEARS) for n in range(6)]
    source = {**required_source(), "orders": [*late, *many_orders(), *many_orders_again(100)]}
    (warning,) = warnings_of(tmp_path, source)
    assert warning.startswith("available_at: 6 rows are far from nearly all others, before 20")
    assert warning.endswith("(rows 1, 2, 3, 4, 5, …)")


def many_orders_again(count: int) -> list[Row]:
    return [order(f"m{line}", happened=line % 40) for line in range(count)]


@pytest.mark.parametrize("currency", ["EUR", "GBP"])
def test_check_compares_list_prices_with_those_of_the_same_currency(
    tmp_path: Path, currency: str
) -> None:
    source = required_source()
    product, listing = source["products"][0], source["listings"][0]
    market = {"EUR": "DE", "GBP": "GB"}[currency]
    price = {"EUR": 1_000, "GBP": 500_000}
    source["listings"] = [
        {**listing, "listing_id": f"{other}{n}", "market": place, "currency": other}
        | {"list_price_minor": price[other]}
        for other, place in (("EUR", "DE"), ("GBP", "GB"))
        for n in range(20)
    ]
    slip = {"listing_id": "slip", "market": market, "currency": currency}
    source["listings"].append({**listing, **slip, "list_price_minor": 500_000})
    source |= {"products": [product], "orders": [order("l1", "EUR0")]}
    assert len(warnings_of(tmp_path, source)) == (1 if currency == "EUR" else 0)


def test_check_of_few_rows_warns_of_nothing(tmp_path: Path) -> None:
    source = required_source()
    source["orders"].append(order("far", units=1_000_000))
    assert warnings_of(tmp_path, source) == []
