"""Price and market: what is asked against what is paid, and how crowded the shelf is."""

from __future__ import annotations

from typing import Final

from features.declarations import (
    Derived,
    Family,
    Feature,
    Latest,
    RequestField,
    SignalName,
    Windowed,
)
from features.derived import ratio, relative_price
from features.levels import LEVEL_TITLES, Level, qualified


def _revenue(level: Level) -> Windowed:
    return Windowed(
        name=qualified("revenue", level, 84, unit="minor"),
        description=f"Money paid for the {LEVEL_TITLES[level]} in the last 84 days.",
        unit="minor currency units",
        family=Family.PRICE,
        level=level,
        signal=SignalName.ORDERS,
        measure="revenue_minor",
        days=84,
    )


REQUEST_FIELDS: Final = (
    RequestField(
        name="list_price_minor",
        description="Price that the decision asks for one unit.",
        unit="minor currency units",
        family=Family.PRICE,
        low=1.0,
        monotone=(("sell_through", -1),),
    ),
)

PRICE: Final[tuple[Feature, ...]] = (
    _revenue(Level.LISTING),
    _revenue(Level.CATEGORY_MARKET),
    Latest(
        name="latest_paid_price_minor",
        description="The price that was last paid for a unit of the listing.",
        unit="minor currency units",
        family=Family.PRICE,
        level=Level.LISTING,
        signal=SignalName.ORDERS,
        measure="unit_price_minor",
    ),
    Windowed(
        name="listings_started_category_market_84d",
        description="Listings of the category that went live in the market in the last 84 days.",
        unit="listings",
        family=Family.MARKET,
        level=Level.CATEGORY_MARKET,
        signal=SignalName.LISTING_STARTS,
        measure="listings",
        days=84,
    ),
    Derived(
        name="relative_price_category_market_84d",
        description="Price asked over the mean price paid in the category and market.",
        unit="ratio",
        family=Family.PRICE,
        monotone=(("sell_through", -1),),
        inputs=(
            "list_price_minor",
            "revenue_minor_category_market_84d",
            "units_ordered_category_market_84d",
        ),
        function=relative_price,
    ),
    Derived(
        name="relative_price_84d",
        description="Price asked over the mean price paid for the listing itself.",
        unit="ratio",
        family=Family.PRICE,
        monotone=(("sell_through", -1),),
        inputs=("list_price_minor", "revenue_minor_84d", "units_ordered_84d"),
        function=relative_price,
    ),
    Derived(
        name="price_asked_over_paid",
        description="Price asked over the price that was last paid for the listing.",
        unit="ratio",
        family=Family.PRICE,
        monotone=(("sell_through", -1),),
        inputs=("list_price_minor", "latest_paid_price_minor"),
        function=ratio,
    ),
)
