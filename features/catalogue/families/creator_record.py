"""The record of the creator who made the latest video: what came of all they promoted before."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, share_of
from features.declarations.kinds import Family, Feature, SignalName, Windowed
from features.declarations.levels import Level

ORDERS: Final = Topic(SignalName.ORDERS, Family.CREATORS)
RIPE: Final = Topic(SignalName.RIPE_UNITS, Family.CREATORS)
STIRRED: Final = Topic(SignalName.ENGAGEMENT, Family.CREATORS)
VIDEOS: Final = Topic(SignalName.VIDEOS, Family.CREATORS)
STATS: Final = Topic(SignalName.CREATOR_STATS, Family.CREATORS)


def _total(topic: Topic, measure: str, sentence: str, *, unit: str, name: str = "") -> Windowed:
    return topic.total(
        measure, sentence, level=Level.CREATOR, days=180, unit=unit, name=name or measure
    )


_UNITS: Final = _total(
    ORDERS, "units", "Units ordered through the {level},", unit="units", name="units_ordered"
)
_RIPE: Final = _total(
    RIPE, "units_ripe", "Units ordered through the {level} whose return window ended", unit="units"
)
_RETURNED: Final = _total(
    RIPE,
    "units_returned",
    "Units ordered through the {level} that came back, of those whose return window ended",
    unit="units",
)
_VIEWS: Final = _total(STIRRED, "views", "Views of all videos of the {level},", unit="views")
_CLICKS: Final = _total(STIRRED, "clicks", "Clicks on all videos of the {level},", unit="clicks")


CREATOR_RECORD: Final[tuple[Feature, ...]] = (
    *(_UNITS, _RIPE, _RETURNED, _VIEWS, _CLICKS),
    _total(VIDEOS, "videos", "Videos made by the {level},", unit="videos"),
    STATS.current(
        "followers",
        "Followers of the {level}, as last observed",
        measure="followers",
        level=Level.CREATOR,
        unit="followers",
    ),
    share_of(
        "conversion_rate",
        "Units ordered through the {level} per click on their videos",
        _UNITS,
        _CLICKS,
    ),
    share_of("click_rate", "Clicks per view of all videos of the {level}", _CLICKS, _VIEWS),
    share_of(
        "return_rate",
        "Share of units ordered through the {level} and past their return window that came back",
        _RETURNED,
        _RIPE,
    ),
)
