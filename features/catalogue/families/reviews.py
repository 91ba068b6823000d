"""Buyer reviews: how many, how good, how bad, at every level that answers for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from features.catalogue.families.topic import Topic, declare_mean, declare_share
from features.declarations.kinds import Derived, Feature, FeatureFamily, SignalName, Windowed
from features.declarations.levels import Level

WRITTEN: Final = Topic(SignalName.REVIEWS, FeatureFamily.REVIEWS)


def _total(measure: str, sentence: str, level: Level, days: int, unit: str = "reviews") -> Windowed:
    return WRITTEN.total(measure, sentence, level=level, days=days, unit=unit)


def _low(level: Level, days: int) -> tuple[Windowed, Windowed, Derived]:
    """Declare reviews, bad ones and their share."""
    written = _total("reviews", "Buyers' reviews of the {level}", level, days)
    low = _total(
        "low_star_reviews", "Buyers' reviews of the {level} with one or two stars", level, days
    )
    sentence = "Share of buyers' reviews of the {level} with one or two stars"
    return written, low, declare_share("low_star_share", sentence, low, written)


def _stars(level: Level, days: int) -> tuple[Windowed, Derived]:
    stars = _total(
        "stars", "Stars (1 to 5), summed over buyers' reviews of the {level}", level, days, "stars"
    )
    written = _total("reviews", "", level, days)
    mean = declare_mean(
        "mean_stars",
        "Mean stars (1 to 5) of buyers' reviews of the {level}",
        stars,
        written,
        unit="stars",
    )
    return stars, replace(mean, low=1.0, high=5.0)


_MEDIA: Final = _total(
    "media_reviews", "Buyers' reviews of the {level} with pictures or videos", Level.LISTING, 180
)

REVIEWS: Final[tuple[Feature, ...]] = (
    *_low(Level.LISTING, 28),
    *(
        feature
        for level in (Level.LISTING, Level.PRODUCT, Level.SUPPLIER, Level.CATEGORY_MARKET)
        for feature in (*_low(level, 180), *_stars(level, 180))
    ),
    _MEDIA,
    declare_share(
        "media_review_share",
        "Share of buyers' reviews of the {level} with pictures or videos",
        _MEDIA,
        _total("reviews", "", Level.LISTING, 180),
    ),
)
