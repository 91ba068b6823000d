"""Labels and the spine: agreement with plain loops, maturity, imputed stock."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue.catalogue import CATALOGUE
from features.declarations.kinds import Windowed
from features.declarations.levels import Level
from features.point_in_time.imputed_stock import OrderUpTo, ensure_stock
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.spine import build_spine
from features.point_in_time.training_rows import LABELLED, build_training_rows
from tests.oracle.features import Oracle
from tests.worlds.random_markets import HORIZONS, Engine, random_world
from tests.worlds.tables import Frames

EPOCH = pd.Timestamp("1970-01-01")


ONE_A_LEVEL = replace(
    CATALOGUE,
    features=tuple(
        next(f for f in CATALOGUE.at_level(level) if isinstance(f, Windowed)) for level in Level
    ),
)
"""A few features are enough: labels don't depend on them."""


def training_rows(frames: Frames) -> pa.Table:
    dataset = ensure_stock(Engine(frames).dataset, HORIZONS)
    return build_training_rows(build_stored_rows(dataset, HORIZONS), ONE_A_LEVEL)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), absent=st.sampled_from(["", "deliveries", "returns"]))
def test_labels_agree_with_plain_loops(seed: int, absent: str) -> None:
    frames = {name: frame for name, frame in random_world(seed).items() if name != absent}
    cut_off = (frames["orders"].available_at.max().floor("D") - EPOCH).days
    rows = training_rows(frames).to_pandas()
    oracles = {day: Oracle.at(frames, HORIZONS, day) for day in set(rows.as_of_day)}
    for row in rows.to_dict("records"):
        oracle = oracles[row["as_of_day"]]
        is_mature = row["as_of_day"] + HORIZONS.sell_through_maturity_days <= cut_off
        sold = oracle.sell_through(row["listing_id"], row["units_offered"])
        assert row["sell_through"] == pytest.approx(sold if is_mature else math.nan, nan_ok=True)
        is_mature = row[
            "as_of_day"
        ] + HORIZONS.return_risk_maturity_days <= cut_off and oracle.is_return_risk_final(
            row["listing_id"], EPOCH + pd.Timedelta(days=cut_off)
        )
        has_risk = is_mature and absent != "returns"
        risk = oracle.return_risk(row["listing_id"]) if has_risk else math.nan
        assert row["return_risk"] == pytest.approx(risk, nan_ok=True, abs=0)
        assert row["return_risk_is_mature"] == is_mature


def units_on_sale(frames: Frames, listing_id: str, day: int) -> float:
    oracle = Oracle.at(frames, HORIZONS, day)
    past = [
        row
        for row in oracle.known_rows("stock")
        if row["listing_id"] == listing_id and row["event_time"] <= oracle.as_of
    ]
    last = max(past, key=lambda row: row["event_time"], default=None)
    return 0.0 if last is None else float(last["on_hand_units"] + last["inbound_units"])


@pytest.mark.parametrize("seed", range(3))
def test_spine_has_the_first_midnight_then_mondays_with_units_to_sell(seed: int) -> None:
    frames = random_world(seed)
    spine = build_spine(build_stored_rows(Engine(frames).dataset, HORIZONS)).to_pandas()
    cut_off = (frames["orders"].available_at.max().floor("D") - EPOCH).days
    expected = set()
    for listing in frames["listings"].to_dict("records"):
        first = (listing["listed_at"].ceil("D") - EPOCH).days
        for day in range(first, cut_off + 1):
            is_monday = (EPOCH + pd.Timedelta(days=day)).day_name() == "Monday"
            if day != first and not is_monday:
                continue
            if offered := units_on_sale(frames, listing["listing_id"], day):
                expected.add((listing["listing_id"], day, offered))
    assert {(r.listing_id, r.as_of_day, r.units_offered) for r in spine.itertuples()} == expected


@pytest.mark.parametrize("seed", range(3))
def test_imputed_stock_orders_up_to_the_demand_known_then(seed: int) -> None:
    frames = {name: frame for name, frame in random_world(seed).items() if name != "stock"}
    rule = OrderUpTo(trailing_days=20, cover_days=10, safety=1.5, min_units=4)
    dataset = ensure_stock(Engine(frames).dataset, HORIZONS, rule)
    stock = dataset.tables["stock"].to_pandas()
    assert dataset.imputed == ("stock",)
    assert (stock.event_time == stock.available_at).all()
    for row in stock.to_dict("records"):
        day = (row["event_time"] - EPOCH).days
        since = row["event_time"] - pd.Timedelta(days=20)
        orders = Oracle.at(frames, HORIZONS, day).known.believed_lines
        known = sum(
            r["units"]
            for r in orders
            if r["listing_id"] == row["listing_id"] and since < r["event_time"] <= row["event_time"]
        )
        assert row["on_hand_units"] == (max(4, math.ceil(0.75 * known)) if known else 0)


def test_a_few_orders_known_decades_later_do_not_move_the_cut_off() -> None:
    frames = random_world(0, orders=3000)
    before = Engine(frames).dataset.cut_off_day()
    frames["orders"].loc[:1, "available_at"] = pd.Timestamp("2045-01-01")
    assert abs(Engine(frames).dataset.cut_off_day() - before) <= 1


def test_data_with_stock_are_left_alone() -> None:
    dataset = Engine(random_world(0)).dataset
    assert ensure_stock(dataset, HORIZONS) is dataset


@pytest.mark.parametrize(
    ("absent", "labelled"),
    [
        ("returns", b"sell_through"),
        ("deliveries", b"sell_through,return_risk"),
        ("stock", b"sell_through,return_risk"),
    ],
)
def test_training_rows_name_the_targets_with_outcomes(absent: str, labelled: bytes) -> None:
    frames = {name: frame for name, frame in random_world(5).items() if name != absent}
    table = training_rows(frames)
    assert table.schema.metadata[LABELLED] == labelled


def test_training_rows_carry_metadata_and_are_sorted() -> None:
    frames = {name: frame for name, frame in random_world(5).items() if name != "stock"}
    dataset = ensure_stock(Engine(frames).dataset, HORIZONS)
    table = training_rows(frames)
    metadata = table.schema.metadata
    assert metadata[b"imputed"] == b"stock"
    assert metadata[b"catalogue_fingerprint"] == ONE_A_LEVEL.fingerprint.encode()
    assert int(metadata[b"cut_off_day"]) == dataset.cut_off_day()
    order = list(zip(table["as_of_day"].to_pylist(), table["listing_id"].to_pylist(), strict=True))
    assert order == sorted(set(order))
    counts = [feature.name for feature in ONE_A_LEVEL.base]
    assert np.isfinite(table.select(counts).to_pandas().to_numpy()).all()
