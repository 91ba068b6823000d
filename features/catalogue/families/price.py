"""Price and value: the price asked against prices paid, earlier list prices and the unit cost."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic
from features.declarations.functions import depth, margin, ratio, relative_price
from features.declarations.kinds import (
    Derived,
    Feature,
    FeatureFamily,
    Highest,
    Latest,
    RequestField,
    SignalName,
    Windowed,
    as_evidence,
)
from features.declarations.levels import LEVEL_TITLES, Level, name_feature

PAID: Final = Topic(SignalName.ORDERS, FeatureFamily.PRICE)
PRODUCT: Final = Topic(SignalName.PRODUCT_FACTS, FeatureFamily.PRICE)
MONEY: Final = "minor currency units"


def _declare_revenue(level: Level) -> Windowed:
    return Windowed(
        name=name_feature("revenue", level, 84, unit="minor"),
        description=f"Money paid for units of the {LEVEL_TITLES[level]} in the last 84 days.",
        unit=MONEY,
        family=FeatureFamily.PRICE,
        level=level,
        signal=SignalName.ORDERS,
        measure="revenue_minor",
        days=84,
    )


def _declare_price_ratio(name: str, description: str, *against: str) -> Derived:
    """Declare the price asked divided by another price; more of it never raises sell-through."""
    return Derived(
        name=name,
        description=description,
        unit="ratio",
        family=FeatureFamily.PRICE,
        monotone=(("sell_through", -1),),
        inputs=("list_price_minor", *against),
        function=ratio if len(against) == 1 else relative_price,
    )


REQUEST_FIELDS: Final = (
    RequestField(
        name="list_price_minor",
        description="Price that the decision asks for one unit.",
        unit=MONEY,
        family=FeatureFamily.PRICE,
        low=1.0,
        monotone=(("sell_through", -1),),
    ),
)

_LATEST_PAID: Final = PAID.current(
    "latest_paid_price_minor",
    "Price that was last paid for a unit of the {level}",
    measure="unit_price_minor",
    level=Level.LISTING,
    unit=MONEY,
)
_HIGHEST_LISTED: Final = Highest(
    name="highest_list_price_minor_365d",
    description="Highest list price that was set for the listing in the last 365 days.",
    unit=MONEY,
    family=FeatureFamily.PRICE,
    level=Level.LISTING,
    signal=SignalName.PRICES,
    measure="price_minor",
    days=365,
)
_COST: Final = Latest(
    name="unit_cost_minor",
    description="Landed cost of a unit; null if it isn't known in the market's currency.",
    unit=MONEY,
    family=FeatureFamily.PRICE,
    level=Level.LISTING,
    signal=SignalName.LISTING_COSTS,
    measure="unit_cost_minor",
)

PRICE: Final[tuple[Feature, ...]] = (
    *as_evidence(_declare_revenue(Level.LISTING), _declare_revenue(Level.CATEGORY_MARKET), _COST),
    _LATEST_PAID,
    _HIGHEST_LISTED,
    PRODUCT.current(
        "packed_weight_g",
        "Packed weight of a unit of the product",
        measure="weight_g",
        level=Level.PRODUCT,
        unit="g",
    ),
    PRODUCT.current(
        "packed_volume_ml",
        "Packed volume of a unit of the product",
        measure="volume_cm3",
        level=Level.PRODUCT,
        unit="ml",
    ),
    _declare_price_ratio(
        "relative_price_category_market_84d",
        "Price asked divided by the mean price paid in the category in the market, of the last 84 "
        "days.",
        _declare_revenue(Level.CATEGORY_MARKET).name,
        "units_ordered_category_market_84d",
    ),
    _declare_price_ratio(
        "relative_price_84d",
        "Price asked divided by the mean price paid for the listing, of the last 84 days.",
        _declare_revenue(Level.LISTING).name,
        "units_ordered_84d",
    ),
    _declare_price_ratio(
        "price_asked_over_paid",
        "Price asked divided by the price that was last paid for the listing.",
        _LATEST_PAID.name,
    ),
    Derived(
        name="discount_depth_share_365d",
        description="Discount of the price asked from the highest list price of the last 365 "
        "days, as a share of that list price.",
        unit="share",
        family=FeatureFamily.PRICE,
        high=1.0,
        monotone=(("sell_through", 1),),
        inputs=("list_price_minor", _HIGHEST_LISTED.name),
        function=depth,
    ),
    Derived(
        name="margin_after_cost",
        description="Price asked minus the cost of the unit, as a share of the price; below 0 if "
        "the cost is higher.",
        unit="ratio",
        family=FeatureFamily.PRICE,
        low=None,
        high=1.0,
        monotone=(("sell_through", -1),),
        inputs=("list_price_minor", _COST.name),
        function=margin,
    ),
)
