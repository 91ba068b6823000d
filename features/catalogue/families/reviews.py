"""Buyer reviews: their number and the low stars among them, as evidence for the return rate."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic
from features.declarations.kinds import Feature, FeatureFamily, SignalName, Windowed, as_evidence
from features.declarations.levels import Level

BUYER_REVIEWS: Final = Topic(SignalName.REVIEWS, FeatureFamily.REVIEWS)
DAYS: Final = 180


def _declare_total(measure: str, sentence: str, level: Level) -> Windowed:
    return BUYER_REVIEWS.total(measure, sentence, level=level, days=DAYS, unit="reviews")


REVIEWS: Final[tuple[Feature, ...]] = as_evidence(
    *(
        _declare_total(measure, sentence, level)
        for level in (Level.PRODUCT, Level.SUPPLIER)
        for measure, sentence in (
            ("reviews", "Buyers' reviews of the {level}"),
            ("low_star_reviews", "Buyers' reviews of the {level} with one or two stars"),
        )
    )
)
