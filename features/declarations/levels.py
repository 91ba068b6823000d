"""The levels of aggregation, from narrow to wide."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """Name the level of aggregation of a base feature."""

    LISTING = "listing"
    PRODUCT = "product"
    SUPPLIER = "supplier"
    SUPPLIER_CATEGORY = "supplier_category"
    CREATOR = "creator"
    CATEGORY_MARKET = "category_market"
    MARKET = "market"


LEVEL_KEYS: Final[dict[Level, tuple[str, ...]]] = {
    Level.LISTING: ("listing_id",),
    Level.PRODUCT: ("product_id",),
    Level.SUPPLIER: ("supplier_id",),
    Level.SUPPLIER_CATEGORY: ("supplier_id", "category"),
    Level.CREATOR: ("creator_id",),
    Level.CATEGORY_MARKET: ("category", "market"),
    Level.MARKET: ("market",),
}
"""The columns that identify a row of each level."""

NULLABLE_KEYS: Final = frozenset({"supplier_id", "creator_id"})
"""Keys that may be null in a row: the supplier or creator may be unknown."""

LEVEL_TITLES: Final[dict[Level, str]] = {
    Level.LISTING: "listing",
    Level.PRODUCT: "product in all markets",
    Level.SUPPLIER: "supplier",
    Level.SUPPLIER_CATEGORY: "supplier in the category",
    Level.CREATOR: "creator of the listing's latest video",
    Level.CATEGORY_MARKET: "category in the market",
    Level.MARKET: "market",
}
"""The name of each level in descriptions."""


def name_feature(measure: str, level: Level, days: int | None = None, *, unit: str = "") -> str:
    """Return a feature's name: measure, unit, level unless it is the listing, window."""
    level_part = "" if level is Level.LISTING else level.value
    window = "" if days is None else f"{days}d"
    return "_".join(part for part in (measure, unit, level_part, window) if part)
