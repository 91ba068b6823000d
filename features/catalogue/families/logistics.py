"""Logistics: delivery times and late parcels."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, declare_mean, declare_share
from features.declarations.kinds import Feature, FeatureFamily, SignalName, Windowed, as_evidence
from features.declarations.levels import Level

PARCELS: Final = Topic(SignalName.PARCELS, FeatureFamily.LOGISTICS)
DAYS: Final = 84


def _declare_total(measure: str, sentence: str, level: Level, unit: str = "parcels") -> Windowed:
    return PARCELS.total(measure, sentence, level=level, days=DAYS, unit=unit)


def _declare_parcel_features(level: Level) -> tuple[Feature, ...]:
    """Declare the share of a level's parcels that were late, and how long they took."""
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
    return (*as_evidence(parcels, promised, late, taken), late_share, mean)


LOGISTICS: Final[tuple[Feature, ...]] = (
    *_declare_parcel_features(Level.LISTING),
    *_declare_parcel_features(Level.SUPPLIER),
)
