"""Repurchase: how many customers buy again at each level, and after how many days."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, declare_mean, declare_share
from features.declarations.kinds import (
    Derived,
    Feature,
    FeatureFamily,
    Quantile,
    SignalName,
    Windowed,
)
from features.declarations.levels import Level
from features.declarations.shrinkage import REPURCHASE_RATE

OF_LEVEL: Final = Topic(SignalName.FIRST_PURCHASES, FeatureFamily.REPURCHASE)
OF_LISTING: Final = Topic(SignalName.REPURCHASES, FeatureFamily.REPURCHASE)
DAYS: Final = REPURCHASE_RATE.days


def _declare_customers(level: Level) -> tuple[Windowed, Windowed, Derived]:
    """Declare the first-time buyers of any listing of a level, and those who bought any again."""
    mature = OF_LEVEL.total(
        "buyers_ripe",
        "First-time buyers of any listing of the {level} whose repurchase window ended",
        level=level,
        days=DAYS,
        unit="buyers",
        name="customers_ripe",
    )
    repeated = OF_LEVEL.total(
        "buyers_repeated",
        "First-time buyers of any listing of the {level} who bought one of its listings again and "
        "whose repurchase window ended",
        level=level,
        days=DAYS,
        unit="buyers",
        name="customers_repeated",
    )
    sentence = (
        "Share of first-time buyers of any listing of the {level} who bought one of its listings "
        "again"
    )
    return mature, repeated, declare_share("customer_repurchase_rate", sentence, repeated, mature)


def _declare_mean_days(level: Level) -> tuple[Windowed, Derived]:
    total = OF_LISTING.total(
        "repeat_days",
        "Days from first to second purchase of the same listing, summed over buyers of the {level} "
        "whose repurchase window ended",
        level=level,
        days=DAYS,
        unit="days",
    )
    repeated = OF_LISTING.total("buyers_repeated", "", level=level, days=DAYS, unit="buyers")
    sentence = (
        "Mean days from first to second purchase of the same listing, of buyers of the {level}"
    )
    return total, declare_mean("mean_repeat_days", sentence, total, repeated, unit="days")


REPURCHASE: Final[tuple[Feature, ...]] = (
    *(
        feature
        for level in (Level.PRODUCT, Level.SUPPLIER, Level.CATEGORY_MARKET)
        for feature in _declare_customers(level)
    ),
    *_declare_mean_days(Level.LISTING),
    *_declare_mean_days(Level.CATEGORY_MARKET),
    Quantile(
        name="median_repeat_days_product_180d",
        description="Median days from first to second purchase of the same listing, of buyers of "
        "the product, of the last 180 days.",
        unit="days",
        family=FeatureFamily.REPURCHASE,
        level=Level.PRODUCT,
        signal=SignalName.REPURCHASES,
        measure="repeat_days",
        days=DAYS,
        share=0.5,
    ),
)
