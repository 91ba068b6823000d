"""Market: the number of new listings, and who operates a listing."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic
from features.declarations.kinds import Feature, FeatureFamily, SignalName
from features.declarations.levels import Level

STARTS: Final = Topic(SignalName.LISTING_STARTS, FeatureFamily.MARKET)

MARKET: Final[tuple[Feature, ...]] = (
    STARTS.total(
        "listings",
        "Listings of the {level} that went live",
        level=Level.CATEGORY_MARKET,
        days=84,
        unit="listings",
        name="listings_started",
    ),
    STARTS.current(
        "is_full_managed",
        "Whether the platform runs pricing, logistics and service of the {level}",
        measure="full_managed",
        level=Level.LISTING,
        unit="0 or 1",
        high=1.0,
    ),
    STARTS.current(
        "is_self_run",
        "Whether the seller runs pricing, logistics and service of the {level}",
        measure="self_run",
        level=Level.LISTING,
        unit="0 or 1",
        high=1.0,
    ),
)
