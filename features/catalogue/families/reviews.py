"""Buyer reviews: their number, mean stars and share of low stars at each level."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from features.catalogue.families.topic import Topic, declare_mean, declare_share
from features.declarations.kinds import Derived, Feature, FeatureFamily, SignalName, Windowed
from features.declarations.levels import Level

BUYER_REVIEWS: Final = Topic(SignalName.REVIEWS, FeatureFamily.REVIEWS)


def _declare_total(
    measure: str, sentence: str, level: Level, days: int, unit: str = "reviews"
) -> Windowed:
    return BUYER_REVIEWS.total(measure, sentence, level=level, days=days, unit=unit)


def _declare_low_stars(level: Level, days: int) -> tuple[Windowed, Windowed, Derived]:
    """Declare the number of reviews, the number with low stars and the share of these."""
    reviews = _declare_total("reviews", "Buyers' reviews of the {level}", level, days)
    low = _declare_total(
        "low_star_reviews", "Buyers' reviews of the {level} with one or two stars", level, days
    )
    sentence = "Share of buyers' reviews of the {level} with one or two stars"
    return reviews, low, declare_share("low_star_share", sentence, low, reviews)


def _declare_mean_stars(level: Level, days: int) -> tuple[Windowed, Derived]:
    stars = _declare_total(
        "stars", "Stars (1 to 5), summed over buyers' reviews of the {level}", level, days, "stars"
    )
    reviews = _declare_total("reviews", "", level, days)
    mean = declare_mean(
        "mean_stars",
        "Mean stars (1 to 5) of buyers' reviews of the {level}",
        stars,
        reviews,
        unit="stars",
    )
    return stars, replace(mean, low=1.0, high=5.0)


_MEDIA: Final = _declare_total(
    "media_reviews", "Buyers' reviews of the {level} with pictures or videos", Level.LISTING, 180
)

REVIEWS: Final[tuple[Feature, ...]] = (
    *_declare_low_stars(Level.LISTING, 28),
    *(
        feature
        for level in (Level.LISTING, Level.PRODUCT, Level.SUPPLIER, Level.CATEGORY_MARKET)
        for feature in (*_declare_low_stars(level, 180), *_declare_mean_stars(level, 180))
    ),
    _MEDIA,
    declare_share(
        "media_review_share",
        "Share of buyers' reviews of the {level} with pictures or videos",
        _MEDIA,
        _declare_total("reviews", "", Level.LISTING, 180),
    ),
)
