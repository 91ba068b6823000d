"""Creator reviews: the videos about a listing, their engagement and what they sell."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, declare_share
from features.declarations.functions import mean_of_parts, ratio, share
from features.declarations.kinds import (
    Derived,
    Feature,
    FeatureFamily,
    SignalName,
    Windowed,
    as_evidence,
)
from features.declarations.levels import Level

ENGAGEMENT: Final = Topic(SignalName.ENGAGEMENT, FeatureFamily.CREATORS)
VIDEOS: Final = Topic(SignalName.VIDEOS, FeatureFamily.CREATORS)
ORDERS: Final = Topic(SignalName.ORDERS, FeatureFamily.CREATORS)
DAYS: Final = 84
_LISTING: Final = Level.LISTING


def _declare_engagement(counter: str, level: Level, days: int) -> Windowed:
    """Declare the growth of a counter over a window."""
    sentence = f"New {counter} on videos about the {{level}}, as observed"
    return ENGAGEMENT.total(counter, sentence, level=level, days=days, unit=counter)


def _declare_videos(measure: str, sentence: str, *, unit: str = "videos") -> Windowed:
    """Declare a sum over the videos of the last 84 days."""
    return VIDEOS.total(measure, sentence, level=_LISTING, days=DAYS, unit=unit)


def _drop_low_bound(feature: Windowed) -> Windowed:
    return Windowed(**{**feature.__dict__, "low": None})


_RECENT_VIEWS: Final = _declare_engagement("views", _LISTING, 7)
_VIEWS: Final = _declare_engagement("views", _LISTING, 28)
_CLICKS: Final = _declare_engagement("clicks", _LISTING, 28)
_SEASON_CLICKS: Final = _declare_engagement("clicks", _LISTING, DAYS)
_TONE_KNOWN: Final = _declare_videos(
    "sentiment_known", "Videos about the {level} whose tone is known"
)
_TONE: Final = _drop_low_bound(
    _declare_videos(
        "sentiment_thousandths",
        "Tone of videos about the {level}, each -1000 (bad) to 1000 (good), summed,",
        unit="thousandths",
    )
)
_CREATOR_UNITS: Final = ORDERS.total(
    "creator_units",
    "Units of the {level} ordered through a creator",
    level=_LISTING,
    days=28,
    unit="units",
)

CREATORS: Final[tuple[Feature, ...]] = (
    *as_evidence(_RECENT_VIEWS, _CLICKS, _SEASON_CLICKS, _TONE_KNOWN, _TONE, _CREATOR_UNITS),
    _VIEWS,
    _declare_engagement("views", Level.PRODUCT, 28),
    declare_share("click_rate", "Clicks per view of videos about the {level}", _CLICKS, _VIEWS),
    Derived(
        name="recent_view_share_28d",
        description="Share of the listing's views of the last 28 days that came in the last 7.",
        unit="share",
        family=FeatureFamily.CREATORS,
        high=1.0,
        inputs=(_RECENT_VIEWS.name, _VIEWS.name),
        function=share,
    ),
    Derived(
        name="units_per_click_84d",
        description="Units of the listing ordered in the last 84 days per click on videos about "
        "it in the same days.",
        unit="units per click",
        family=FeatureFamily.CREATORS,
        inputs=("units_ordered_84d", _SEASON_CLICKS.name),
        function=ratio,
    ),
    _declare_videos("videos", "Videos made about the {level}"),
    Derived(
        name="mean_sentiment_84d",
        description="Mean tone of videos about the listing, bad to good, of the last 84 days.",
        unit="-1 to 1",
        family=FeatureFamily.CREATORS,
        low=-1.0,
        high=1.0,
        inputs=(_TONE.name, _TONE_KNOWN.name),
        function=mean_of_parts,
        constants=(1000.0,),
    ),
    VIDEOS.since_last(
        "days_since_last_video",
        "a video about the {level} was made",
        measure="videos",
        level=_LISTING,
    ),
    declare_share(
        "creator_unit_share",
        "Share of the {level}'s units that were ordered through a creator",
        _CREATOR_UNITS,
        ORDERS.total("units", "", level=_LISTING, days=28, unit="units", name="units_ordered"),
    ),
)
