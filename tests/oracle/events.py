"""The events of each signal that are known at a moment, by plain loops over the known rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import pandas as pd

from tests.oracle.market import KnownMarket, Row, is_null

__all__ = ["EVENTS", "Event", "is_null"]

Names = tuple[str, ...]
ALWAYS = pd.Timestamp("2000-01-01")
DAY = pd.Timedelta(days=1)
COUNTERS = ("views", "clicks")


class Event(NamedTuple):
    """One event: its row, when it happened, when it became known, and its measures."""

    of: Row
    at: pd.Timestamp
    known: pd.Timestamp
    measures: dict[str, Any]


def _event(row: Row, measures: dict[str, Any], *others: Row) -> Event:
    known = max(source["available_at"] for source in (row, *others))
    return Event(row, row["event_time"], known, measures)


def _round_half_up(value: float) -> int:
    return int(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP))


def _orders(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in market.believed_lines:
        units, price = row["units"], row["unit_price_minor"]
        led = row["creator_id"] is not None
        measures = {"units": units, "order_lines": 1, "revenue_minor": units * price}
        measures |= {"unit_price_minor": price, "creator_units": units if led else 0}
        yield _event(row, measures)


def _ripe_units(market: KnownMarket, _: Names) -> Iterator[Event]:
    for line in market.known_rows("orders"):
        end = market.window_end(line)
        if end is None:
            continue
        back = market.returns_in_window(line)
        measures = {
            "units_ripe": market.units_kept(line),
            "units_returned": sum(r["units"] for r in back),
        }
        yield Event(line, end, end, measures)


def _open_units(market: KnownMarket, _: Names) -> Iterator[Event]:
    for line in market.known_rows("orders"):
        end = market.window_end(line)
        if end is None or end <= market.as_of:
            continue
        back = sum(
            r["units"] for r in market.returns_in_window(line) if r["event_time"] <= market.as_of
        )
        measures = {"units_open": market.units_kept(line), "units_open_returned": back}
        start = end - market.horizons.return_window_days * DAY
        yield Event(line, start, start, measures)


def _returned_parcels(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in market.known_rows("returns"):
        line = market.lines.get(row["order_line_id"])
        if line is not None and not market.is_cancellation(line, row):
            of = {"listing_id": line["listing_id"]}
            yield _event({**row, **of}, {"units_back": row["units"]}, line)


def _knowledge(row: Row) -> tuple[Any, ...]:
    return row["available_at"], row["event_time"], row["order_line_id"]


def _repurchases(market: KnownMarket, _: Names) -> Iterator[Event]:
    window = market.horizons.repurchase_window_days * DAY
    purchases: dict[tuple[Any, ...], list[Row]] = {}
    for row in sorted(market.known_rows("orders"), key=_knowledge):
        if row["buyer_key"] is not None:
            buyer = (*market.level_key(row, ("listing_id",)), row["buyer_key"])
            purchases.setdefault(buyer, []).append(row)
    for first, *later in purchases.values():
        start, over = first["event_time"], first["event_time"] + window
        other = [row for row in later if row["order_id"] != first["order_id"]]
        again = [row for row in other if start < row["event_time"] <= over]
        measures = {"buyers_ripe": 1, "buyers_repeated": int(bool(again))}
        yield Event(first, over, over, measures)


def _lots(market: KnownMarket, _: Names) -> Iterator[Event]:
    for lot in market.known_rows("stock"):
        offered = lot["on_hand_units"] + lot["inbound_units"]
        start, end = lot["event_time"], lot["event_time"] + market.horizons.horizon_days * DAY
        ordered = sum(
            row["units"]
            for row in market.believed_lines
            if row["listing_id"] == lot["listing_id"] and start < row["event_time"] <= end
        )
        measures = {"units_offered": offered, "units_sold": min(offered, ordered)}
        yield Event(lot, end, end, measures)


def _stock(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in market.known_rows("stock"):
        offered = row["on_hand_units"] + row["inbound_units"]
        measures = {
            "observations": 1,
            "sold_outs": int(row["on_hand_units"] == 0),
            "settled": int(row["inbound_units"] == 0),
            "units_offered": offered,
            "units_on_hand": row["on_hand_units"],
            "units_inbound": row["inbound_units"],
        }
        yield _event(row, measures)


def _starts(market: KnownMarket) -> Iterator[Row]:
    for row in market.tables["listings"]:
        if row["listed_at"] <= market.as_of:
            yield {**row, "event_time": row["listed_at"], "available_at": row["listed_at"]}


def _listing_starts(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in _starts(market):
        mode = row["mode"]
        is_mode = {
            name: None if mode is None else int(mode == name)
            for name in ("full_managed", "self_run")
        }
        yield _event(row, {"listings": 1, **is_mode})


def _prices(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in _starts(market):
        yield _event(row, {"price_minor": row["list_price_minor"]})
    for row in market.known_rows("prices") if market.has("prices") else []:
        yield _event(row, {"price_minor": row["price_minor"]})


def _listing_costs(market: KnownMarket, _: Names) -> Iterator[Event]:
    products = {row["product_id"]: row for row in market.tables["products"]}
    for row in market.tables["listings"]:
        product = products[row["product_id"]]
        if product["currency"] == row["currency"]:
            yield Event(row, ALWAYS, ALWAYS, {"unit_cost_minor": product["unit_cost_minor"]})


def _product_facts(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in market.tables["products"]:
        yield Event(row, ALWAYS, ALWAYS, {name: row[name] for name in ("weight_g", "volume_cm3")})


def _videos(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in market.known_rows("videos"):
        tone = row["sentiment"]
        sign = -1 if tone is not None and tone < 0 else 1
        measures = {
            "videos": 1,
            "sentiment_known": int(tone is not None),
            "sentiment_thousandths": 0 if tone is None else sign * _round_half_up(abs(tone) * 1000),
        }
        yield _event(row, measures)


def _engagement(market: KnownMarket, _: Names) -> Iterator[Event]:
    videos = {row["video_id"]: row for row in market.known_rows("videos")}
    by_knowledge = sorted(
        (max(row["available_at"], videos[row["video_id"]]["available_at"]), row["event_time"], i)
        for i, row in enumerate(market.known_rows("video_stats"))
        if row["video_id"] in videos
    )
    highest: dict[tuple[str, str], int] = {}
    for known, at, position in by_knowledge:
        row = market.known_rows("video_stats")[position]
        video, added = videos[row["video_id"]], {}
        for counter in COUNTERS:
            before = highest.get((row["video_id"], counter), 0)
            highest[row["video_id"], counter] = max(before, row[counter])
            added[counter] = highest[row["video_id"], counter] - before
        of = {name: video[name] for name in ("listing_id", "creator_id")}
        yield Event(of, at, known, added)


def _creator_stats(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in market.known_rows("creator_stats"):
        yield _event(row, {"followers": row["followers"]})


def _localisation(market: KnownMarket, _: Names) -> Iterator[Event]:
    attributes = ("language", "size_chart", "plug_voltage", "packaging", "imagery")
    for row in market.known_rows("localisation"):
        own = {name: row["value"] if row["attribute"] == name else None for name in attributes}
        yield _event(row, {"changes": 1, "value": row["value"], **own})


def _requirements(market: KnownMarket, names: Names) -> Iterator[Event]:
    for row in market.known_rows("requirements"):
        subjects: Iterable[Row] = (row,)
        if "listing_id" in names:
            subjects = (
                {**row, "listing_id": name}
                for name, facts in market.listings.items()
                if (facts["market"], facts["category"]) == (row["market"], row["category"])
            )
        for of in subjects:
            measures = {"ends_at": row["valid_to"]}
            yield Event(of, row["valid_from"], row["available_at"], measures)


def _parcels(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in market.known_rows("deliveries"):
        if (line := market.lines.get(row["order_line_id"])) is None:
            continue
        taken, promised = row["event_time"] - line["event_time"], line["promised_days"]
        has_promise = promised is not None
        measures = {
            "parcels": 1,
            "delivery_days": math.ceil(taken / DAY),
            "promised_parcels": int(has_promise),
            "late_parcels": int(has_promise and taken > promised * DAY),
        }
        yield _event({**row, "listing_id": line["listing_id"]}, measures, line)


def _reviews(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in market.known_rows("reviews"):
        low = int(row["rating"] <= 2)
        yield _event(row, {"reviews": 1, "low_star_reviews": low})


def _audits(market: KnownMarket, _: Names) -> Iterator[Event]:
    for row in market.known_rows("supplier_audits"):
        measures = {name: row[name] for name in ("score", "lead_time_days", "inspected_units")}
        defective = min(row["defective_units"], row["inspected_units"])
        yield _event(row, {**measures, "defective_units": defective})


EVENTS: dict[str, Callable[[KnownMarket, Names], Iterator[Event]]] = {
    function.__name__.removeprefix("_"): function
    for function in (
        *(_orders, _ripe_units, _open_units, _returned_parcels, _repurchases),
        *(_lots, _stock, _listing_starts, _prices, _listing_costs, _product_facts),
        *(_videos, _engagement, _creator_stats, _localisation, _requirements),
        *(_parcels, _reviews, _audits),
    )
}
