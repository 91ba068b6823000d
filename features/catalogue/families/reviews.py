"""Buyer reviews: their number, mean stars and share of low stars."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from features.catalogue.families.topic import Topic, declare_mean, declare_share
from features.declarations.kinds import Feature, FeatureFamily, SignalName, Windowed, as_evidence
from features.declarations.levels import Level

BUYER_REVIEWS: Final = Topic(SignalName.REVIEWS, FeatureFamily.REVIEWS)
DAYS: Final = 180


def _declare_total(measure: str, sentence: str, level: Level, unit: str = "reviews") -> Windowed:
    return BUYER_REVIEWS.total(measure, sentence, level=level, days=DAYS, unit=unit)


def _declare_reviews(level: Level) -> Windowed:
    return _declare_total("reviews", "Buyers' reviews of the {level}", level)


def _declare_low_stars(level: Level) -> tuple[Feature, ...]:
    """Declare the number of reviews with low stars and their share."""
    low = _declare_total(
        "low_star_reviews", "Buyers' reviews of the {level} with one or two stars", level
    )
    sentence = "Share of buyers' reviews of the {level} with one or two stars"
    return (
        *as_evidence(low),
        declare_share("low_star_share", sentence, low, _declare_reviews(level)),
    )


_STARS: Final = _declare_total(
    "stars", "Stars (1 to 5), summed over buyers' reviews of the {level}", Level.LISTING, "stars"
)
_MEAN_STARS: Final = declare_mean(
    "mean_stars",
    "Mean stars (1 to 5) of buyers' reviews of the {level}",
    _STARS,
    _declare_reviews(Level.LISTING),
    unit="stars",
)

REVIEWS: Final[tuple[Feature, ...]] = (
    _declare_reviews(Level.LISTING),
    *as_evidence(*(_declare_reviews(level) for level in (Level.PRODUCT, Level.SUPPLIER)), _STARS),
    *_declare_low_stars(Level.LISTING),
    *_declare_low_stars(Level.PRODUCT),
    *_declare_low_stars(Level.SUPPLIER),
    replace(_MEAN_STARS, low=1.0, high=5.0),
)
