"""Demand: units ordered at each level, their recency and their season."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic
from features.declarations.functions import PACE_DAYS, coming_season, order_size, pace, ratio
from features.declarations.kinds import (
    Age,
    Derived,
    Distinct,
    Feature,
    FeatureFamily,
    RequestField,
    SignalName,
    Windowed,
    as_evidence,
)
from features.declarations.levels import LEVEL_TITLES, Level, name_feature

ORDERS: Final = Topic(SignalName.ORDERS, FeatureFamily.DEMAND)
STARTS: Final = Topic(SignalName.LISTING_STARTS, FeatureFamily.DEMAND)


def _declare_unit_total(level: Level, days: int) -> Windowed:
    sentence = "Units of the {level} ordered"
    return ORDERS.total(
        "units", sentence, level=level, days=days, unit="units", name="units_ordered"
    )


def _declare_line_total(level: Level) -> Windowed:
    sentence = "Order lines of the {level}"
    return ORDERS.total("order_lines", sentence, level=level, days=84, unit="order lines")


def _declare_listings(level: Level) -> Distinct:
    sentence = "Listings of the {level} that were ordered"
    return ORDERS.distinct_count("listings", sentence, column="listing_id", level=level, days=28)


def _declare_peer_demand(level: Level) -> Derived:
    """Declare what a listing of a level usually sells: all that is known of a new one."""
    return Derived(
        name=name_feature("units_per_listing", level, 28),
        description=f"Units of the {LEVEL_TITLES[level]} ordered in the last 28 days, per listing "
        "that was ordered.",
        unit="units",
        family=FeatureFamily.DEMAND,
        inputs=(_declare_unit_total(level, 28).name, _declare_listings(level).name),
        function=ratio,
    )


def _declare_order_size() -> Derived:
    inputs = [
        declared.name
        for level in (Level.LISTING, Level.CATEGORY_MARKET)
        for declared in (_declare_unit_total(level, 84), _declare_line_total(level))
    ]
    return Derived(
        name="order_size_84d",
        description="Mean units of an order line of the listing in the last 84 days, shrunk "
        "towards that of its category in the market.",
        unit="units",
        family=FeatureFamily.DEMAND,
        low=1.0,
        inputs=tuple(inputs),
        function=order_size,
    )


def _declare_recent_share(level: Level) -> Derived:
    return Derived(
        name=name_feature("recent_order_share", level, 84),
        description=f"Share of the units of the {LEVEL_TITLES[level]} ordered in the last 84 days "
        "that were ordered in the last 28.",
        unit="share",
        family=FeatureFamily.DEMAND,
        high=1.0,
        inputs=(_declare_unit_total(level, 28).name, _declare_unit_total(level, 84).name),
        function=ratio,
    )


AGES: Final = {
    Level.LISTING: "days_since_listed",
    Level.PRODUCT: "days_since_first_listed_product",
}
"""The feature that counts the days since a level's first listing went live.

A daily rate divides by no more days than these.
"""


_PEER_LEVELS: Final = (Level.PRODUCT, Level.SUPPLIER_CATEGORY, Level.CATEGORY_MARKET)
_PACE_DAYS: Final = (7, 28, 84)
"""Windows of the daily rates: from the demand of this week to that of a season."""


def _declare_pace(level: Level, days: int) -> Derived:
    return Derived(
        name=name_feature("demand_pace", level, days),
        description=f"Units of the {LEVEL_TITLES[level]} that would be ordered in {PACE_DAYS} "
        f"days at the daily rate of the last {days} days, or since it went live, if that is "
        "shorter.",
        unit="units",
        family=FeatureFamily.DEMAND,
        monotone=(("sell_through", 1),),
        inputs=(_declare_unit_total(level, days).name, AGES[level]),
        function=pace,
        constants=(float(days),),
    )


def _declare_season_share(level: Level) -> Derived:
    return Derived(
        name=name_feature("coming_season_share", level, 365),
        description=f"Share of the units of the {LEVEL_TITLES[level]} ordered in the last 365 days "
        "that were ordered one year before the coming 28 days; null until a year of orders is "
        "known.",
        unit="share",
        family=FeatureFamily.DEMAND,
        high=1.0,
        inputs=(
            _declare_unit_total(level, 365).name,
            _declare_unit_total(level, 337).name,
            "days_since_first_order_market",
        ),
        function=coming_season,
    )


REQUEST_FIELDS: Final = (
    RequestField(
        name="units_offered",
        description="Units that the decision puts on sale.",
        unit="units",
        family=FeatureFamily.DEMAND,
        low=1.0,
        monotone=(("sell_through", -1),),
    ),
)

DEMAND: Final[tuple[Feature, ...]] = (
    *as_evidence(
        *(_declare_unit_total(Level.LISTING, days) for days in (7, 28, 84)),
        *(_declare_unit_total(Level.PRODUCT, days) for days in (28, 84)),
        _declare_unit_total(Level.SUPPLIER_CATEGORY, 28),
        *(_declare_unit_total(Level.CATEGORY_MARKET, days) for days in (28, 84, 337, 365)),
        _declare_line_total(Level.CATEGORY_MARKET),
        *(_declare_listings(level) for level in _PEER_LEVELS),
    ),
    _declare_line_total(Level.LISTING),
    ORDERS.distinct_count(
        "buyers",
        "Different buyers of the {level}",
        column="buyer_key",
        level=Level.LISTING,
        days=84,
    ),
    ORDERS.since_last(
        "days_since_last_order",
        "the {level} was last ordered",
        measure="order_lines",
        level=Level.LISTING,
    ),
    ORDERS.since_last(
        "days_since_last_order",
        "the {level} was last ordered",
        measure="order_lines",
        level=Level.PRODUCT,
    ),
    STARTS.since_last(
        "days_since_listed",
        "the {level} went live",
        measure="listings",
        level=Level.LISTING,
    ),
    Age(
        name="days_since_first_listed_product",
        description="Days since the product first went live in any market.",
        unit="days",
        family=FeatureFamily.DEMAND,
        level=Level.PRODUCT,
        signal=SignalName.LISTING_STARTS,
        measure="listings",
    ),
    *as_evidence(
        Age(
            name="days_since_first_order_market",
            description="Days since the first known order in the market.",
            unit="days",
            family=FeatureFamily.DEMAND,
            level=Level.MARKET,
            signal=SignalName.ORDERS,
            measure="order_lines",
        )
    ),
    _declare_recent_share(Level.LISTING),
    _declare_recent_share(Level.PRODUCT),
    _declare_recent_share(Level.CATEGORY_MARKET),
    *(_declare_pace(Level.LISTING, days) for days in _PACE_DAYS),
    *(_declare_pace(Level.PRODUCT, days) for days in (28, 84)),
    *(_declare_peer_demand(level) for level in _PEER_LEVELS),
    _declare_order_size(),
    _declare_season_share(Level.CATEGORY_MARKET),
)
