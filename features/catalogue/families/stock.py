"""Stock: units on hand and inbound, observations without stock, and demand while in stock."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic
from features.declarations.kinds import Derived, Feature, FeatureFamily, SignalName, as_evidence
from features.declarations.levels import Level
from features.declarations.stock_cover import (
    days_until,
    in_stock_pace,
    in_stock_share,
    on_hand_cover,
)

STOCK: Final = Topic(SignalName.STOCK, FeatureFamily.DEMAND)


_OBSERVATIONS: Final = STOCK.total(
    "observations",
    "Stock observations of the {level}",
    level=Level.LISTING,
    days=84,
    unit="observations",
    name="stock_observations",
)
_SOLD_OUTS: Final = STOCK.total(
    "sold_outs",
    "Stock observations of the {level} with nothing on hand",
    level=Level.LISTING,
    days=84,
    unit="observations",
)

STOCKS: Final[tuple[Feature, ...]] = (
    STOCK.current(
        "units_on_hand",
        "Units of the {level} on hand, as last observed",
        measure="units_on_hand",
        level=Level.LISTING,
        unit="units",
    ),
    STOCK.current(
        "units_inbound",
        "Units of the {level} on their way, as last observed",
        measure="units_inbound",
        level=Level.LISTING,
        unit="units",
    ),
    STOCK.since_last(
        "days_since_nothing_inbound",
        "the {level}'s stock was last observed with nothing on its way",
        measure="settled",
        level=Level.LISTING,
    ),
    *as_evidence(_OBSERVATIONS, _SOLD_OUTS),
    Derived(
        name="in_stock_share_84d",
        description="Share of the listing's stock observations with something on hand, of the "
        "last 84 days.",
        unit="share",
        family=FeatureFamily.DEMAND,
        high=1.0,
        inputs=(_SOLD_OUTS.name, _OBSERVATIONS.name),
        function=in_stock_share,
    ),
    Derived(
        name="in_stock_demand_pace_84d",
        description="Units of the listing that would be ordered in 28 days at the daily rate of "
        "the last 84 days, without the days out of stock.",
        unit="units",
        family=FeatureFamily.DEMAND,
        monotone=(("sell_through", 1),),
        inputs=("units_ordered_84d", "days_since_listed", _SOLD_OUTS.name, _OBSERVATIONS.name),
        function=in_stock_pace,
    ),
    Derived(
        name="on_hand_demand_cover_84d",
        description="Units of the listing that would be ordered in 28 days at the daily rate of "
        "the last 84 days, without the days out of stock, per unit on hand (at least one).",
        unit="units per unit",
        family=FeatureFamily.DEMAND,
        inputs=("in_stock_demand_pace_84d", "units_on_hand"),
        function=on_hand_cover,
    ),
    Derived(
        name="days_until_arrival",
        description="Days until the inbound units arrive if they take the supplier's usual lead "
        "time; below 0 if they are overdue, null if nothing is inbound.",
        unit="days",
        family=FeatureFamily.DEMAND,
        inputs=("units_inbound", "lead_time_days_supplier", "days_since_nothing_inbound"),
        function=days_until,
        low=None,
    ),
)
