"""A simulated market speaks the contract: rows, keys, parents, times, stock."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments.simulator.configuration.clock import build_clock
from features.contract.columns import ColumnKind, Table, column_kind
from features.contract.tables import TABLES
from tests.worlds.simulated import TINY, Frame, make_market, sold_lines

PARENTS = [
    ("listings", "product_id", "products"),
    *((name, "listing_id", "listings") for name in ("prices", "stock", "orders", "reviews")),
    *((name, "listing_id", "listings") for name in ("videos", "localisation", "policy_events")),
    *((name, "order_line_id", "orders") for name in ("deliveries", "returns", "reviews")),
    ("video_stats", "video_id", "videos"),
]
DTYPES = {
    ColumnKind.TEXT: "str",
    ColumnKind.INTEGER: "Int64",
    ColumnKind.FLAG: "boolean",
    ColumnKind.NUMBER: "float64",
}
EVENTS = [table for table in TABLES if table.is_event]


def frame(name: str) -> Frame:
    return make_market(TINY)[0][name]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_simulated_rows_hold_what_the_contract_says(table: Table) -> None:
    rows = frame(table.name)
    kinds = {name: column_kind(column) for name, column in table.columns.items()}
    typed = rows.astype({name: DTYPES[kind] for name, kind in kinds.items() if kind in DTYPES})
    table.schema.validate(typed, lazy=True)
    assert list(rows.columns) == list(table.columns)
    assert not rows.duplicated(list(table.key)).any()


@pytest.mark.parametrize(("child", "column", "parent"), PARENTS)
def test_simulated_rows_have_parents(child: str, column: str, parent: str) -> None:
    assert frame(child)[column].isin(frame(parent)[column]).all()


@pytest.mark.parametrize("table", EVENTS, ids=lambda table: table.name)
def test_simulated_events_are_known_after_they_happen_and_before_the_export(table: Table) -> None:
    rows = frame(table.name)
    assert (rows.available_at >= rows.event_time).all()
    assert rows.available_at.max() <= pd.Timestamp(TINY.end).tz_localize(None)


def test_simulated_tables_have_delays_of_their_own_and_backfills() -> None:
    delay = {
        name: (rows.available_at - rows.event_time) / pd.Timedelta(hours=1)
        for name, rows in make_market(TINY)[0].items()
        if "available_at" in rows and name != "requirements"
    }
    medians = [round(hours.median(), 3) for hours in delay.values()]
    assert len(set(medians)) == len(medians)
    assert delay["orders"].median() < delay["deliveries"].median() < delay["returns"].median()
    assert (delay["videos"] > 48).mean() == pytest.approx(0.06 * np.exp(-2 / 6), abs=0.02)


@pytest.mark.parametrize("name", ["deliveries", "returns"])
def test_simulated_parcels_follow_their_orders(name: str) -> None:
    ordered = frame("orders")[["order_line_id", "event_time"]]
    rows = frame(name).merge(ordered, on="order_line_id", suffixes=("", "_ordered"))
    assert (rows.event_time > rows.event_time_ordered).all()


def test_simulated_returns_are_of_what_was_bought() -> None:
    back = frame("returns").groupby("order_line_id").units.sum()
    bought = frame("orders").set_index("order_line_id").units
    assert (back <= bought.loc[back.index]).all()


def test_simulated_listings_never_sell_more_than_they_have() -> None:
    counts = frame("stock").sort_values(["event_time", "listing_id"])
    counts = counts.rename(columns={"event_time": "counted_at"}).drop(columns="available_at")
    orders = frame("orders").sort_values("event_time")
    lines = pd.merge_asof(
        orders, counts, left_on="event_time", right_on="counted_at", by="listing_id"
    )
    # A count that became known after the export is missing: the next is more than a week on.
    lines = lines[lines.event_time - lines.counted_at <= pd.Timedelta(days=7)]
    sold = lines.groupby(["listing_id", "counted_at"]).agg(
        units=("units", "sum"), on_hand=("on_hand_units", "first")
    )
    assert len(sold) > 1_000
    assert (sold.units <= sold.on_hand).all()
    assert (sold.units == sold.on_hand).mean() > 0.02  # stock-outs do cut sales


def test_simulated_prices_paid_are_those_in_force() -> None:
    orders = frame("orders").sort_values("event_time")
    start = frame("listings").rename(
        columns={"listed_at": "event_time", "list_price_minor": "price_minor"}
    )
    prices = pd.concat([start, frame("prices")])[["listing_id", "event_time", "price_minor"]]
    asked = pd.merge_asof(
        orders, prices.sort_values("event_time"), on="event_time", by="listing_id"
    )
    assert (asked.unit_price_minor == asked.price_minor).mean() > 0.995


def test_simulated_counters_never_fall() -> None:
    stats = frame("video_stats").sort_values(["video_id", "event_time"])
    for counter in ("views", "likes", "comments", "shares", "saves", "clicks"):
        assert (stats.groupby("video_id")[counter].diff().dropna() >= 0).all()


def test_simulated_listings_taken_down_sell_nothing_more() -> None:
    down = frame("policy_events").query("severity == 3").set_index("listing_id").event_time
    lines = sold_lines(make_market(TINY)[0])
    before = lines[lines.listing_id.isin(down.index)]
    assert len(down) > 5
    assert (before.event_time.to_numpy() < down.loc[before.listing_id].to_numpy()).all()


@pytest.mark.parametrize("week", [0, 1, 7, 30])
def test_simulated_weeks_begin_on_mondays(week: int) -> None:
    clock = build_clock(TINY)
    monday = np.datetime64(clock.first_day + int(clock.monday(np.array(week))), "D")
    assert pd.Timestamp(monday).day_of_week == 0
