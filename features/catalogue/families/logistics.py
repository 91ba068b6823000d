"""Logistics: promised times, delivery times and late parcels."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, declare_mean, declare_share
from features.declarations.functions import mean_of_parts
from features.declarations.kinds import (
    Derived,
    Feature,
    FeatureFamily,
    Quantile,
    SignalName,
    Windowed,
)
from features.declarations.levels import LEVEL_TITLES, Level, name_feature

PARCELS: Final = Topic(SignalName.PARCELS, FeatureFamily.LOGISTICS)
DAYS: Final = 84


def _declare_total(measure: str, sentence: str, level: Level, unit: str = "parcels") -> Windowed:
    return PARCELS.total(measure, sentence, level=level, days=DAYS, unit=unit)


def _declare_parcel_features(level: Level) -> tuple[Feature, ...]:
    """Declare counts and rates of a level's parcels."""
    parcels = _declare_total("parcels", "Parcels of the {level} delivered", level)
    promised = _declare_total(
        "promised_parcels", "Parcels of the {level} delivered that had a promised time", level
    )
    late = _declare_total(
        "late_parcels", "Parcels of the {level} delivered later than promised", level
    )
    taken = _declare_total(
        "delivery_days",
        "Days from order to delivery, summed over parcels of the {level} delivered",
        level,
        "days",
    )
    late_share = declare_share(
        "late_rate",
        "Share of parcels of the {level} with a promised time that arrived late",
        late,
        promised,
    )
    mean = declare_mean(
        "mean_delivery_days",
        "Mean days from order to delivery of parcels of the {level}",
        taken,
        parcels,
        unit="days",
    )
    return (parcels, promised, late, taken, late_share, mean)


def _declare_promised_days(level: Level) -> tuple[Windowed, Derived]:
    total = _declare_total(
        "promised_tenths",
        "Promised time, summed over parcels of the {level} delivered",
        level,
        "tenths of days",
    )
    mean = Derived(
        name=name_feature("mean_promised_days", level, DAYS),
        description=f"Mean days promised for parcels of the {LEVEL_TITLES[level]}, delivered in "
        f"the last {DAYS} days.",
        unit="days",
        family=FeatureFamily.LOGISTICS,
        inputs=(total.name, name_feature("promised_parcels", level, DAYS)),
        function=mean_of_parts,
        constants=(10.0,),
    )
    return total, mean


LOGISTICS: Final[tuple[Feature, ...]] = (
    *_declare_parcel_features(Level.LISTING),
    *_declare_parcel_features(Level.SUPPLIER),
    *_declare_parcel_features(Level.CATEGORY_MARKET),
    *_declare_promised_days(Level.LISTING),
    *_declare_promised_days(Level.CATEGORY_MARKET),
    Quantile(
        name="slow_delivery_days_84d",
        description="Days from order to delivery that nine in ten parcels of the listing don't "
        "exceed, of the last 84 days.",
        unit="days",
        family=FeatureFamily.LOGISTICS,
        level=Level.LISTING,
        signal=SignalName.PARCELS,
        measure="delivery_days",
        days=DAYS,
        share=0.9,
    ),
)
