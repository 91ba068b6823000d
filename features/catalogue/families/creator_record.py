"""The record of the creator of the latest video: what their videos sold, and what came back."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, declare_share
from features.declarations.kinds import (
    Feature,
    FeatureFamily,
    SignalName,
    Windowed,
    as_evidence,
)
from features.declarations.levels import Level

ORDERS: Final = Topic(SignalName.ORDERS, FeatureFamily.CREATORS)
MATURE: Final = Topic(SignalName.RIPE_UNITS, FeatureFamily.CREATORS)
ENGAGEMENT: Final = Topic(SignalName.ENGAGEMENT, FeatureFamily.CREATORS)
STATS: Final = Topic(SignalName.CREATOR_STATS, FeatureFamily.CREATORS)


def _declare_total(
    topic: Topic, measure: str, sentence: str, *, unit: str, name: str = ""
) -> Windowed:
    return topic.total(
        measure, sentence, level=Level.CREATOR, days=180, unit=unit, name=name or measure
    )


_UNITS: Final = _declare_total(
    ORDERS, "units", "Units ordered through the {level},", unit="units", name="units_ordered"
)
_MATURE: Final = _declare_total(
    MATURE,
    "units_ripe",
    "Units ordered through the {level} whose return window ended",
    unit="units",
)
_RETURNED: Final = _declare_total(
    MATURE,
    "units_returned",
    "Units ordered through the {level} that came back, of those whose return window ended",
    unit="units",
)
_CLICKS: Final = _declare_total(
    ENGAGEMENT, "clicks", "Clicks on all videos of the {level},", unit="clicks"
)


CREATOR_RECORD: Final[tuple[Feature, ...]] = (
    *as_evidence(_UNITS, _MATURE, _RETURNED, _CLICKS),
    STATS.current(
        "followers",
        "Followers of the {level}, as last observed",
        measure="followers",
        level=Level.CREATOR,
        unit="followers",
    ),
    declare_share(
        "conversion_rate",
        "Units ordered through the {level} per click on their videos",
        _UNITS,
        _CLICKS,
    ),
    declare_share(
        "return_rate",
        "Share of units ordered through the {level} and past their return window that came back",
        _RETURNED,
        _MATURE,
    ),
)
