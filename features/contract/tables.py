"""Declare the source tables of the contract; products, listings and orders are required."""

from __future__ import annotations

from typing import Final

import pandera.pandas as pa

from features.contract.columns import (
    CURRENCIES,
    EVENT_COLUMNS,
    MARKETS,
    Table,
    choice,
    count,
    flag,
    free_text,
    identifier,
    moment,
    money,
    number,
    pseudonym,
)

MODES: Final = frozenset({"full_managed", "semi_managed", "self_run"})
VIDEO_KINDS: Final = frozenset({"review", "unboxing", "live", "ad"})
POLICY_KINDS: Final = frozenset({"marketing", "safety", "data", "intellectual_property"})


def _table(
    name: str,
    row: str,
    key: tuple[str, ...],
    columns: dict[str, pa.Column],
    *,
    is_required: bool = False,
) -> Table:
    return Table(
        name=name,
        row=row,
        key=key,
        schema=pa.DataFrameSchema(columns, name=name, description=row),
        is_required=is_required,
    )


PRODUCTS: Final = _table(
    "products",
    "a product",
    ("product_id",),
    {
        "product_id": identifier("the product"),
        "supplier_id": identifier("its supplier", nullable=True),
        "title": free_text("name of the product as the source gives it"),
        "category": identifier("leaf category"),
        "parent_category": identifier("category above the leaf", nullable=True),
        "unit_cost_minor": money("cost of one unit, landed at the warehouse", nullable=True),
        "currency": choice("currency of the cost", CURRENCIES, nullable=True),
        "weight_g": number("packed weight", unit="g", low=0, high=1e6, nullable=True),
        "volume_cm3": number("packed volume", unit="cm3", low=0, high=1e7, nullable=True),
        "material": identifier("main material", nullable=True),
    },
    is_required=True,
)

LISTINGS: Final = _table(
    "listings",
    "a product in a market",
    ("listing_id",),
    {
        "listing_id": identifier("the listing"),
        "product_id": identifier("the product offered"),
        "market": choice("ISO 3166 country it is sold in", MARKETS),
        "mode": choice(
            "operating mode: who runs pricing, logistics and service", MODES, nullable=True
        ),
        "listed_at": moment("time it went live"),
        "list_price_minor": money("price at the time it went live"),
        "currency": choice("the market's currency", CURRENCIES),
    },
    is_required=True,
)

PRICES: Final = _table(
    "prices",
    "a change of price",
    ("listing_id", "event_time"),
    {
        "listing_id": identifier("the listing"),
        "price_minor": money("the new list price"),
        **EVENT_COLUMNS,
    },
)

STOCK: Final = _table(
    "stock",
    "a stock observation",
    ("listing_id", "event_time"),
    {
        "listing_id": identifier("the listing"),
        "on_hand_units": count("units in the market's warehouse", unit="units"),
        "inbound_units": count("units on the way to that warehouse", unit="units"),
        **EVENT_COLUMNS,
    },
)

ORDERS: Final = _table(
    "orders",
    "an order line",
    ("order_line_id",),
    {
        "order_line_id": identifier("the order line"),
        "order_id": identifier("the order it belongs to"),
        "listing_id": identifier("the listing bought"),
        "buyer_key": pseudonym("keyed hash of the buyer; null: unknown"),
        "units": count("units ordered", unit="units", minimum=1, maximum=10**6),
        "unit_price_minor": money("price paid for one unit", minimum=0),
        "creator_id": identifier("creator whose video led to it", nullable=True, required=False),
        "promised_days": number(
            "days to delivery as promised",
            unit="days",
            low=0,
            high=365,
            nullable=True,
            required=False,
        ),
        **EVENT_COLUMNS,
    },
    is_required=True,
)

DELIVERIES: Final = _table(
    "deliveries",
    "a delivered order line",
    ("order_line_id",),
    {
        "order_line_id": identifier("the order line"),
        "carrier": identifier("its carrier", nullable=True),
        **EVENT_COLUMNS,
    },
)

RETURNS: Final = _table(
    "returns",
    "a returned order line, or a part of one",
    ("order_line_id", "event_time"),
    {
        "order_line_id": identifier("the order line"),
        "units": count("units returned", unit="units", minimum=1),
        "reason": identifier("reason as the source names it", nullable=True),
        **EVENT_COLUMNS,
    },
)

REVIEWS: Final = _table(
    "reviews",
    "a buyer's review",
    ("review_id",),
    {
        "review_id": identifier("the review"),
        "listing_id": identifier("the listing reviewed"),
        "order_line_id": identifier("the order line", nullable=True, required=False),
        "rating": count("stars", unit="stars", minimum=1, maximum=5),
        "has_media": flag("it shows a picture or a video"),
        **EVENT_COLUMNS,
    },
)

VIDEOS: Final = _table(
    "videos",
    "a creator's video about a listing",
    ("video_id",),
    {
        "video_id": identifier("the video"),
        "listing_id": identifier("the listing it is about"),
        "creator_id": identifier("its creator"),
        "kind": choice("kind of video", VIDEO_KINDS),
        "is_sponsored": flag("the creator was paid"),
        "sentiment": number("tone towards the product", unit="-1…1", low=-1, high=1, nullable=True),
        **EVENT_COLUMNS,
    },
)

VIDEO_STATS: Final = _table(
    "video_stats",
    "an observation of a video's cumulative counters",
    ("video_id", "event_time"),
    {
        "video_id": identifier("the video"),
        **{
            counter: count(f"{counter} so far", unit=counter, maximum=10**12)
            for counter in ("views", "likes", "comments", "shares", "saves", "clicks")
        },
        **EVENT_COLUMNS,
    },
)

CREATOR_STATS: Final = _table(
    "creator_stats",
    "an observation of a creator",
    ("creator_id", "event_time"),
    {
        "creator_id": identifier("the creator"),
        "followers": count("followers", unit="accounts", maximum=10**10),
        "niche": identifier("main subject of the creator", nullable=True),
        **EVENT_COLUMNS,
    },
)

LOCALISATION: Final = _table(
    "localisation",
    "the value of one attribute of a listing",
    ("listing_id", "attribute", "event_time"),
    {
        "listing_id": identifier("the listing"),
        "attribute": identifier("language, size_chart, plug_voltage, certificate:FDA and others"),
        "value": number("degree to which it is met", unit="0…1", low=0, high=1),
        **EVENT_COLUMNS,
    },
)

REQUIREMENTS: Final = _table(
    "requirements",
    "a requirement of a market for a category",
    ("market", "category", "attribute", "valid_from"),
    {
        "market": choice("the market", MARKETS),
        "category": identifier("the leaf category"),
        "attribute": identifier("the required attribute"),
        "valid_from": moment("first moment it is in force"),
        "valid_to": moment("first moment it is no longer in force; null: open", nullable=True),
        "source": identifier("its law or policy", nullable=True),
        **EVENT_COLUMNS,
    },
)

SUPPLIER_AUDITS: Final = _table(
    "supplier_audits",
    "a quality inspection",
    ("supplier_id", "event_time"),
    {
        "supplier_id": identifier("the supplier"),
        "score": number("overall score", unit="0…1", low=0, high=1),
        "inspected_units": count("units inspected", unit="units"),
        "defective_units": count("units found defective", unit="units"),
        "lead_time_days": number("days from order to dispatch", unit="days", low=0, high=365),
        **EVENT_COLUMNS,
    },
)

POLICY_EVENTS: Final = _table(
    "policy_events",
    "a violation or a safety case",
    ("listing_id", "kind", "event_time"),
    {
        "listing_id": identifier("the listing concerned"),
        "kind": choice("kind of rule that was violated", POLICY_KINDS),
        "severity": count(
            "1 notice, 2 restriction, 3 delisting", unit="grade", minimum=1, maximum=3
        ),
        **EVENT_COLUMNS,
    },
)

TABLES: Final = (
    PRODUCTS,
    LISTINGS,
    PRICES,
    STOCK,
    ORDERS,
    DELIVERIES,
    RETURNS,
    REVIEWS,
    VIDEOS,
    VIDEO_STATS,
    CREATOR_STATS,
    LOCALISATION,
    REQUIREMENTS,
    SUPPLIER_AUDITS,
    POLICY_EVENTS,
)
TABLE_BY_NAME: Final = {table.name: table for table in TABLES}
