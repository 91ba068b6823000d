"""Digests of rows change with values, rows and columns, not with the order of rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from features.contract.columns import ColumnKind, column_kind
from features.contract.tables import TABLE_BY_NAME, TABLES
from features.dataset.row_digests import UNTIMED_COLUMNS, TableDigest, digest_tables
from tests.worlds.random_markets import FIRST_DAY, Engine, random_world

WORLD = random_world(2)
TIMED = ("listings", *(table.name for table in TABLES if table.is_event))
FINALLY = FIRST_DAY + 365
"""A day on which everything is known."""
NEXT: dict[ColumnKind, Any] = {
    ColumnKind.TEXT: "another",
    ColumnKind.INTEGER: 7_777,
    ColumnKind.NUMBER: 0.3,
    ColumnKind.TIME: pd.Timestamp("2024-02-29 12:00:00.000001"),
}
"""Values that are in no table."""


def digest_known(name: str, frame: pd.DataFrame, day: int = FINALLY) -> TableDigest:
    return digest_tables(Engine({name: frame}).dataset, day)[name]


def time_column(name: str) -> str:
    return "listed_at" if name == "listings" else "available_at"


def with_another(name: str, column: str) -> pd.DataFrame:
    """Return a table in which a row that is known has another value."""
    frame = WORLD[name].copy()
    kind = column_kind(TABLE_BY_NAME[name].columns[column])
    row = int(frame[time_column(name)].notna().to_numpy().argmax())
    frame.loc[row, column] = not frame[column][row] if kind is ColumnKind.FLAG else NEXT[kind]
    return frame


@pytest.mark.parametrize("name", TIMED)
def test_another_value_of_any_column_makes_another_digest(name: str) -> None:
    engine = Engine({name: WORLD[name]})
    then = digest_tables(engine.dataset, FINALLY)[name]
    unseen = set()
    for column in WORLD[name].columns:
        engine.load({name: with_another(name, column)})
        now = digest_tables(engine.dataset, FINALLY)[name]
        assert now.rows == then.rows > 0
        unseen |= {column} if now == then else set()
    assert unseen == UNTIMED_COLUMNS.get(name, set())


def test_swapped_values_make_another_digest() -> None:
    reviews = WORLD["reviews"][WORLD["reviews"].available_at.notna()]
    turned = reviews.assign(review_id=reviews.review_id.to_numpy()[::-1])
    swapped = reviews.assign(review_id=reviews.listing_id, listing_id=reviews.review_id)
    digests = {digest_known("reviews", frame).digest for frame in (reviews, turned, swapped)}
    assert len(digests) == 3


def test_order_of_rows_and_unknown_rows_do_not_change_the_digest() -> None:
    orders, day = WORLD["orders"], FIRST_DAY + 60
    by_then = orders[orders.available_at <= pd.Timestamp(day, unit="D")]
    assert 0 < len(by_then) < orders.available_at.notna().sum()
    for frame in (orders, by_then, by_then[::-1]):
        assert digest_known("orders", frame, day) == digest_known("orders", orders, day)
    assert digest_known("orders", orders, day).rows == len(by_then)
    assert digest_known("orders", orders[:0], day) == TableDigest(0, "0")
