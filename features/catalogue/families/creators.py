"""Creator reviews: the videos about a listing, their engagement and their reach."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, declare_mean, declare_share
from features.declarations.functions import mean_of_parts, ratio, share
from features.declarations.kinds import (
    Derived,
    Feature,
    FeatureFamily,
    LargestShare,
    SignalName,
    Windowed,
)
from features.declarations.levels import Level

ENGAGEMENT: Final = Topic(SignalName.ENGAGEMENT, FeatureFamily.CREATORS)
VIDEOS: Final = Topic(SignalName.VIDEOS, FeatureFamily.CREATORS)
REACH: Final = Topic(SignalName.REACH, FeatureFamily.CREATORS)
ORDERS: Final = Topic(SignalName.ORDERS, FeatureFamily.CREATORS)
DAYS: Final = 84

PER_VIEW: Final = {
    "likes": "like_rate",
    "comments": "comment_rate",
    "shares": "forward_rate",
    "saves": "save_rate",
    "clicks": "click_rate",
}
"""Counters, and the names of their rates per view."""


def declare_engagement(counter: str, level: Level, days: int) -> Windowed:
    """Declare the growth of a counter over a window."""
    sentence = f"New {counter} on videos about the {{level}}, as observed"
    return ENGAGEMENT.total(counter, sentence, level=level, days=days, unit=counter)


def _declare_rate_per_view(counter: str, level: Level, days: int) -> Derived:
    sentence = counter.capitalize() + " per view of videos about the {level}"
    views = declare_engagement("views", level, days)
    return declare_share(
        PER_VIEW[counter], sentence, declare_engagement(counter, level, days), views
    )


def declare_videos(measure: str, sentence: str, level: Level) -> Windowed:
    """Declare a sum over the videos of the last 84 days."""
    unit = "videos" if "video" in measure or measure.endswith("known") else measure
    return VIDEOS.total(measure, sentence, level=level, days=DAYS, unit=unit)


def _declare_recent_view_share(short: int, long: int) -> Derived:
    return Derived(
        name=f"recent_view_share_{long}d",
        description=f"Share of the listing's views of the last {long} days that came in the last "
        f"{short}.",
        unit="share",
        family=FeatureFamily.CREATORS,
        high=1.0,
        inputs=(f"views_{short}d", f"views_{long}d"),
        function=share,
    )


def _declare_video_counts(level: Level) -> tuple[Feature, ...]:
    """Declare the number of videos and the number of their creators."""
    return (
        declare_videos("videos", "Videos made about the {level}", level),
        VIDEOS.distinct_count(
            "creators",
            "Different creators who filmed the {level}",
            column="creator_id",
            level=level,
            days=DAYS,
        ),
    )


_LISTING: Final = Level.LISTING
_VIDEO_COUNT: Final = declare_videos("videos", "", _LISTING)
_REVIEWS: Final = declare_videos("review_videos", "Review videos made about the {level}", _LISTING)
_SPONSORED: Final = declare_videos(
    "sponsored_videos", "Sponsored videos about the {level}", _LISTING
)
_SMALL: Final = REACH.total(
    "small_creator_videos",
    "Videos about the {level} by creators with fewer than 10,000 followers",
    level=_LISTING,
    days=DAYS,
    unit="videos",
)
_REACH_KNOWN: Final = REACH.total(
    "reach_known",
    "Videos about the {level} whose creator had a known number of followers",
    level=_LISTING,
    days=DAYS,
    unit="videos",
)
_REACHED: Final = REACH.total(
    "followers_reached",
    "Followers that creators had when they filmed the {level}, summed over videos",
    level=_LISTING,
    days=DAYS,
    unit="followers",
)
_TONE_KNOWN: Final = declare_videos(
    "sentiment_known", "Videos about the {level} whose tone is known", _LISTING
)
_TONE: Final = VIDEOS.total(
    "sentiment_thousandths",
    "Tone of videos about the {level}, each -1000 (bad) to 1000 (good), summed,",
    level=_LISTING,
    days=DAYS,
    unit="thousandths",
)
_CREATOR_UNITS: Final = ORDERS.total(
    "creator_units",
    "Units of the {level} ordered through a creator",
    level=_LISTING,
    days=DAYS,
    unit="units",
)


def _drop_low_bound(feature: Windowed) -> Windowed:
    return Windowed(**{**feature.__dict__, "low": None})


CREATORS: Final[tuple[Feature, ...]] = (
    *(declare_engagement("views", _LISTING, days) for days in (7, 28, 84)),
    *(declare_engagement(counter, _LISTING, 28) for counter in PER_VIEW),
    declare_engagement("clicks", _LISTING, 84),
    *(declare_engagement(counter, Level.PRODUCT, 28) for counter in ("views", "clicks")),
    *(declare_engagement(counter, Level.CATEGORY_MARKET, 28) for counter in ("views", "clicks")),
    declare_engagement("views", Level.SUPPLIER_CATEGORY, 84),
    *(_declare_rate_per_view(counter, _LISTING, 28) for counter in PER_VIEW),
    _declare_rate_per_view("clicks", Level.PRODUCT, 28),
    _declare_rate_per_view("clicks", Level.CATEGORY_MARKET, 28),
    _declare_recent_view_share(7, 28),
    _declare_recent_view_share(28, 84),
    Derived(
        name="view_share_category_market_28d",
        description="Share of the views of the category in the market that videos about the "
        "listing got in the last 28 days.",
        unit="share",
        family=FeatureFamily.CREATORS,
        high=1.0,
        inputs=("views_28d", "views_category_market_28d"),
        function=share,
    ),
    Derived(
        name="units_per_click_84d",
        description="Units of the listing ordered in the last 84 days per click on videos about "
        "it in the same days.",
        unit="units per click",
        family=FeatureFamily.CREATORS,
        inputs=("units_ordered_84d", "clicks_84d"),
        function=ratio,
    ),
    *_declare_video_counts(_LISTING),
    *_declare_video_counts(Level.PRODUCT),
    declare_videos("videos", "Videos made about listings of the {level}", Level.CATEGORY_MARKET),
    *(_REVIEWS, _SPONSORED, _SMALL, _REACH_KNOWN, _REACHED, _TONE_KNOWN),
    _drop_low_bound(_TONE),
    declare_share(
        "review_video_share",
        "Share of videos about the {level} that review it",
        _REVIEWS,
        _VIDEO_COUNT,
    ),
    declare_share(
        "sponsored_share",
        "Share of videos about the {level} that were paid for",
        _SPONSORED,
        _VIDEO_COUNT,
    ),
    declare_share(
        "small_creator_share",
        "Share of videos about the {level} by creators with fewer than 10,000 followers",
        _SMALL,
        _REACH_KNOWN,
    ),
    declare_mean(
        "mean_followers",
        "Mean followers that creators had when they filmed the {level}",
        _REACHED,
        _REACH_KNOWN,
        unit="followers",
    ),
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
    LargestShare(
        name="top_creator_view_share_84d",
        description="Share of the listing's views of the last 84 days that its most viewed "
        "creator brought.",
        unit="share",
        family=FeatureFamily.CREATORS,
        high=1.0,
        level=_LISTING,
        signal=SignalName.ENGAGEMENT,
        measure="views",
        column="creator_id",
        days=DAYS,
    ),
    VIDEOS.since_last(
        "days_since_last_video",
        "a video about the {level} was made",
        measure="videos",
        level=_LISTING,
    ),
    VIDEOS.since_last(
        "days_since_last_review_video",
        "a review video about the {level} was made",
        measure="review_videos",
        level=_LISTING,
    ),
    _CREATOR_UNITS,
    declare_share(
        "creator_unit_share",
        "Share of the {level}'s units that were ordered through a creator",
        _CREATOR_UNITS,
        ORDERS.total("units", "", level=_LISTING, days=DAYS, unit="units", name="units_ordered"),
    ),
)
