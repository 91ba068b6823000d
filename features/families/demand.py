"""Demand: how much is ordered, at every level, and how lately."""

from __future__ import annotations

from typing import Final

from features.declarations import (
    Derived,
    Elapsed,
    Family,
    Feature,
    RequestField,
    SignalName,
    Windowed,
)
from features.derived import ratio, trend
from features.levels import LEVEL_TITLES, Level, qualified


def _ordered(level: Level, days: int) -> Windowed:
    return Windowed(
        name=qualified("units_ordered", level, days),
        description=f"Units of the {LEVEL_TITLES[level]} ordered in the last {days} days.",
        unit="units",
        family=Family.DEMAND,
        level=level,
        signal=SignalName.ORDERS,
        measure="units",
        days=days,
    )


def _trend(level: Level) -> Derived:
    return Derived(
        name=qualified("recent_order_share", level, 84),
        description=f"Share of the {LEVEL_TITLES[level]}'s units of the last 84 days that was "
        "ordered in the last 28.",
        unit="share",
        family=Family.DEMAND,
        high=1.0,
        inputs=(qualified("units_ordered", level, 28), qualified("units_ordered", level, 84)),
        function=trend,
    )


def _cover(level: Level) -> Derived:
    return Derived(
        name=qualified("demand_cover", level, 28),
        description=f"Units of the {LEVEL_TITLES[level]} ordered in the last 28 days per unit "
        "offered now.",
        unit="units per unit",
        family=Family.DEMAND,
        monotone=(("sell_through", 1),),
        inputs=(qualified("units_ordered", level, 28), "units_offered"),
        function=ratio,
    )


REQUEST_FIELDS: Final = (
    RequestField(
        name="units_offered",
        description="Units that the decision puts on sale.",
        unit="units",
        family=Family.DEMAND,
        low=1.0,
        monotone=(("sell_through", -1),),
    ),
)

DEMAND: Final[tuple[Feature, ...]] = (
    _ordered(Level.LISTING, 7),
    _ordered(Level.LISTING, 28),
    _ordered(Level.LISTING, 84),
    _ordered(Level.PRODUCT, 28),
    _ordered(Level.PRODUCT, 84),
    _ordered(Level.CATEGORY_MARKET, 28),
    _ordered(Level.CATEGORY_MARKET, 84),
    _ordered(Level.MARKET, 28),
    _ordered(Level.MARKET, 84),
    Windowed(
        name="order_lines_28d",
        description="Order lines of the listing in the last 28 days.",
        unit="order lines",
        family=Family.DEMAND,
        level=Level.LISTING,
        signal=SignalName.ORDERS,
        measure="order_lines",
        days=28,
    ),
    Elapsed(
        name="days_since_last_order",
        description="Days since the listing was last ordered.",
        unit="days",
        family=Family.DEMAND,
        level=Level.LISTING,
        signal=SignalName.ORDERS,
    ),
    Elapsed(
        name="days_since_last_order_product",
        description="Days since the product was last ordered in any market.",
        unit="days",
        family=Family.DEMAND,
        level=Level.PRODUCT,
        signal=SignalName.ORDERS,
    ),
    Elapsed(
        name="days_since_listed",
        description="Days since the listing went live.",
        unit="days",
        family=Family.DEMAND,
        level=Level.LISTING,
        signal=SignalName.LISTING_STARTS,
    ),
    _trend(Level.LISTING),
    _trend(Level.PRODUCT),
    _trend(Level.CATEGORY_MARKET),
    _cover(Level.LISTING),
    _cover(Level.PRODUCT),
)
