"""Features written by hand: against a slow loop, and blind to what wasn't known yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.benchmarks.real.by_hand import SMOOTHING, hand_written_features
from features.declarations.targets import TARGETS, Target
from tests.worlds.random_markets import FIRST_DAY, HORIZONS, random_world

DAYS = (3, 20, 45, 70, 95)
Frames = Mapping[str, pd.DataFrame]
WAIT = HORIZONS.assumed_delivery_days + HORIZONS.return_window_days


def _decisions(frames: Frames) -> pd.DataFrame:
    listed = frames["listings"]
    rows = listed[["listing_id"]].merge(pd.DataFrame({"as_of_day": DAYS}), how="cross")
    rows["as_of_day"] += FIRST_DAY
    rng = np.random.default_rng(0)
    return rows.assign(
        units_offered=rng.integers(1, 50, len(rows)).astype(float),
        list_price_minor=rng.integers(100, 2000, len(rows)).astype(float),
    )


def _as_rows(decisions: pd.DataFrame) -> list[Any]:
    return list(decisions.itertuples())


def _outcomes(decisions: pd.DataFrame) -> pd.DataFrame:
    share = np.random.default_rng(1).random(len(decisions))
    day = decisions["as_of_day"] + HORIZONS.sell_through_maturity_days
    return pd.DataFrame({"listing_id": decisions["listing_id"], "day": day, "share": share})


def _compute(frames: Frames, target: Target) -> pd.DataFrame:
    decisions = _decisions(frames)
    return hand_written_features(
        decisions, frames, _outcomes(decisions), target=target, horizons=HORIZONS
    )


def _slow_row(frames: Frames, decision: Any) -> dict[str, float]:  # noqa: ANN401 - a named tuple
    """Compute some features of one decision by reading every table from its beginning."""
    now = pd.Timestamp(int(decision.as_of_day), unit="D")
    listings = frames["listings"].merge(frames["products"], on="product_id")
    (own,) = listings[listings["listing_id"] == decision.listing_id].itertuples()
    seen = {
        name: frames[name][frames[name]["available_at"] <= now]
        for name in ("orders", "prices", "stock")
    }
    orders = seen["orders"].merge(listings, on="listing_id")
    recent = orders[orders["available_at"] > now - pd.Timedelta(days=28)]
    season = orders[orders["available_at"] > now - pd.Timedelta(days=84)]
    beside = season[(season["category"] == own.category) & (season["market"] == own.market)]
    mine = recent[recent["listing_id"] == decision.listing_id]
    changed = seen["prices"][seen["prices"]["listing_id"] == decision.listing_id]
    prices = [own.list_price_minor] * (own.listed_at <= now) + changed["price_minor"].tolist()
    stock = seen["stock"][seen["stock"]["listing_id"] == decision.listing_id]
    bought = orders.loc[orders["listing_id"] == decision.listing_id, "available_at"]
    paid = (beside["units"] * beside["unit_price_minor"]).sum()
    units = beside["units"].sum()
    return {
        "listing_units_28d": mine["units"].sum(),
        "product_units_28d": recent.loc[recent["product_id"] == own.product_id, "units"].sum(),
        "days_since_order": (now - bought.max().ceil("D")).days if len(bought) else np.nan,
        "price_over_category_paid": decision.list_price_minor / (paid / units)
        if units and paid
        else np.nan,
        "discount": 1 - decision.list_price_minor / max(prices) if prices else np.nan,
        "units_on_hand": stock.sort_values("available_at")["on_hand_units"].iloc[-1]
        if len(stock)
        else np.nan,
    }


@pytest.mark.parametrize("seed", [0, 1])
def test_features_are_those_of_a_slow_loop(seed: int) -> None:
    frames = random_world(seed, orders=120)
    computed = _compute(frames, "sell_through").replace([np.inf, -np.inf], np.nan)
    slow = pd.DataFrame([_slow_row(frames, row) for row in _as_rows(_decisions(frames))])
    pd.testing.assert_frame_equal(computed[list(slow)], slow.astype("float64"), rtol=1e-12)


def test_past_rates_are_smoothed_means_of_what_was_final() -> None:
    frames = random_world(2)
    decisions = _decisions(frames)
    outcomes = _outcomes(decisions)
    rates = _compute(frames, "sell_through")["listing_past_rate"]
    for row, decision in enumerate(_as_rows(decisions)):
        final = outcomes[outcomes["day"] <= decision.as_of_day]
        own = final.loc[final["listing_id"] == decision.listing_id, "share"]
        overall = final["share"].mean() if len(final) else 0.0
        expected = (own.sum() + SMOOTHING * overall) / (len(own) + SMOOTHING)
        assert rates[row] == pytest.approx(expected)


def test_return_rates_count_units_once_their_window_is_over() -> None:
    frames = random_world(3, orders=120)
    rates = _compute(frames, "return_risk")["product_past_rate"]
    orders = frames["orders"].merge(frames["listings"], on="listing_id")
    product = frames["listings"].set_index("listing_id")["product_id"]
    for row, decision in enumerate(_as_rows(_decisions(frames))):
        now = pd.Timestamp(int(decision.as_of_day), unit="D")
        over = orders[orders["available_at"].dt.ceil("D") + pd.Timedelta(days=WAIT) <= now]
        known = frames["returns"][frames["returns"]["available_at"] <= now]
        returns = known.groupby("order_line_id")["units"].sum()
        back = over["order_line_id"].map(returns.to_dict()).astype("float64").fillna(0.0)
        overall = back.sum() / max(over["units"].sum(), 1)
        own = over["product_id"] == product[decision.listing_id]
        expected = (back[own].sum() + SMOOTHING * overall) / (over["units"][own].sum() + SMOOTHING)
        assert rates[row] == pytest.approx(expected)


@pytest.mark.parametrize("target", TARGETS)
def test_what_becomes_known_later_changes_nothing(target: Target) -> None:
    frames = random_world(4, orders=120)
    day = FIRST_DAY + DAYS[2]
    known = {
        name: frame[frame["available_at"] <= pd.Timestamp(day, unit="D")]
        if "available_at" in frame
        else frame
        for name, frame in frames.items()
    }
    rows = _decisions(frames)["as_of_day"] == day
    pd.testing.assert_frame_equal(_compute(known, target)[rows], _compute(frames, target)[rows])
