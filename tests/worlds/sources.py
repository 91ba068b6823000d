"""A small source directory with every table of the contract, all rows valid, for tests to spoil."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.contract.columns import ARROW_TYPES, column_kind
from features.contract.tables import TABLE_BY_NAME

Row = dict[str, object]
Source = dict[str, list[Row]]

START = datetime(2024, 3, 1, 12, 0, tzinfo=UTC).replace(tzinfo=None)
"""Naive UTC, as validated tables have it."""


def day(number: float) -> datetime:
    """Return the moment some days after the start."""
    return START + timedelta(days=number)


def event(happened: float, known: float | None = None, /, **cells: object) -> Row:
    """Return an event's row; it is known at once unless said otherwise."""
    return {**cells, "event_time": day(happened), "available_at": day(known or happened)}


def order(line: str, listing: str = "p1-DE", happened: float = 1, **cells: object) -> Row:
    """Return an order line of two units."""
    row = event(happened, order_line_id=line, order_id="o", listing_id=listing, buyer_key="b")
    return {**row, "units": 2, "unit_price_minor": 900, **cells}


def return_row(line: str, happened: float, units: int = 1) -> Row:
    """Return a row of the returns."""
    return event(happened, order_line_id=line, units=units, reason="size")


def small_source() -> Source:
    """Return rows of all fifteen tables by name."""
    product = {
        "supplier_id": "s1",
        "title": "A lamp",
        "category": "lamp",
        "parent_category": "home",
    }
    facts = {"unit_cost_minor": 300, "currency": "CNY", "weight_g": 120.5, "volume_cm3": 900.0}
    live = {"mode": "self_run", "listed_at": START, "list_price_minor": 1000}
    video = {"listing_id": "p1-DE", "creator_id": "c1", "kind": "review", "is_sponsored": False}
    counters = dict.fromkeys(("views", "likes", "comments", "shares", "saves", "clicks"), 5)
    demand = {"market": "DE", "category": "lamp", "attribute": "certificate:CE"}
    return {
        "products": [
            {"product_id": name, **product, **facts, "material": None} for name in ("p1", "p2")
        ],
        "listings": [
            {"listing_id": f"{p}-{m}", "product_id": p, "market": m, **live, "currency": currency}
            for p, m, currency in (("p1", "DE", "EUR"), ("p1", "GB", "GBP"), ("p2", "DE", "EUR"))
        ],
        "prices": [event(0, listing_id="p1-DE", price_minor=1000)],
        "stock": [event(0, listing_id="p1-DE", on_hand_units=9, inbound_units=0)],
        "orders": [order("l1"), order("l2", "p1-GB", 2), order("l3", "p2-DE", 3, buyer_key=None)],
        "deliveries": [event(4, order_line_id="l1", carrier="DHL")],
        "returns": [return_row("l1", 9), return_row("l1", 10)],
        "reviews": [event(8, review_id="r1", listing_id="p1-DE", rating=4, has_media=True)],
        "videos": [event(1, video_id="v1", **video, sentiment=0.5)],
        "video_stats": [event(2, video_id="v1", **counters)],
        "creator_stats": [event(0, creator_id="c1", followers=1000, niche="home")],
        "localisation": [event(0, listing_id="p1-DE", attribute="language", value=1.0)],
        "requirements": [event(0, **demand, valid_from=START, valid_to=None, source="law")],
        "supplier_audits": [
            event(
                0,
                supplier_id="s1",
                score=0.9,
                inspected_units=100,
                defective_units=1,
                lead_time_days=7.0,
            )
        ],
        "policy_events": [event(5, listing_id="p1-DE", kind="marketing", severity=1)],
    }


REQUIRED = ("products", "listings", "orders")


def required_source() -> Source:
    """Return rows of the required tables alone."""
    return {name: rows for name, rows in small_source().items() if name in REQUIRED}


def write_csv(directory: Path, source: Mapping[str, list[Row]]) -> Path:
    """Write each table as `{table}.csv`; return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, rows in source.items():
        with (directory / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return directory


def write_parquet(directory: Path, source: Mapping[str, list[Row]]) -> Path:
    """Write each table as `{table}.parquet`, typed as the contract says; return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, rows in source.items():
        pq.write_table(as_arrow(name, rows), directory / f"{name}.parquet")
    return directory


def as_arrow(name: str, rows: list[Row]) -> pa.Table:
    """Return rows as a typed table; columns that the contract doesn't know are text."""
    kinds = {key: column_kind(column) for key, column in TABLE_BY_NAME[name].columns.items()}
    types = [(key, ARROW_TYPES[kinds[key]] if key in kinds else pa.string()) for key in rows[0]]
    return pa.Table.from_pylist(rows, pa.schema(types))
