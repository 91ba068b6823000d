"""Creator reviews: what videos about a listing stir, and whom they reach."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, mean_of, share_of
from features.declarations.functions import mean_of_parts, ratio, share
from features.declarations.kinds import Derived, Family, Feature, LargestShare, SignalName, Windowed
from features.declarations.levels import Level

STIRRED: Final = Topic(SignalName.ENGAGEMENT, Family.CREATORS)
VIDEOS: Final = Topic(SignalName.VIDEOS, Family.CREATORS)
REACH: Final = Topic(SignalName.REACH, Family.CREATORS)
ORDERS: Final = Topic(SignalName.ORDERS, Family.CREATORS)
DAYS: Final = 84

PER_VIEW: Final = {
    "likes": "like_rate",
    "comments": "comment_rate",
    "shares": "forward_rate",
    "saves": "save_rate",
    "clicks": "click_rate",
}
"""Counters and what they are called per view."""


def stirred(counter: str, level: Level, days: int) -> Windowed:
    """Declare a counter's growth over a window."""
    sentence = counter.capitalize() + " that new observations of videos about the {level} added"
    return STIRRED.total(counter, sentence, level=level, days=days, unit=counter)


def _per_view(counter: str, level: Level, days: int) -> Derived:
    sentence = counter.capitalize() + " per view of videos about the {level}"
    views = stirred("views", level, days)
    return share_of(PER_VIEW[counter], sentence, stirred(counter, level, days), views)


def made(measure: str, sentence: str, level: Level) -> Windowed:
    """Declare a sum over the videos of the last 84 days."""
    unit = "videos" if "video" in measure or measure.endswith("known") else measure
    return VIDEOS.total(measure, sentence, level=level, days=DAYS, unit=unit)


def _recent(short: int, long: int) -> Derived:
    return Derived(
        name=f"recent_view_share_{long}d",
        description=f"Share of the listing's views of the last {long} days that came in the last "
        f"{short}.",
        unit="share",
        family=Family.CREATORS,
        high=1.0,
        inputs=(f"views_{short}d", f"views_{long}d"),
        function=share,
    )


def _videos(level: Level) -> tuple[Feature, ...]:
    """Declare how many videos, by how many creators."""
    return (
        made("videos", "Videos made about the {level}", level),
        VIDEOS.different(
            "creators",
            "Different creators who filmed the {level}",
            column="creator_id",
            level=level,
            days=DAYS,
        ),
    )


_LISTING: Final = Level.LISTING
_MADE: Final = made("videos", "", _LISTING)
_REVIEWS: Final = made("review_videos", "Review videos made about the {level}", _LISTING)
_SPONSORED: Final = made("sponsored_videos", "Sponsored videos about the {level}", _LISTING)
_SMALL: Final = REACH.total(
    "small_creator_videos",
    "Videos about the {level} by creators with fewer than 10,000 followers",
    level=_LISTING,
    days=DAYS,
    unit="videos",
)
_REACH_KNOWN: Final = REACH.total(
    "reach_known",
    "Videos about the {level} whose creator's followers were known",
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
_TONE_KNOWN: Final = made(
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


def _unbounded_below(feature: Windowed) -> Windowed:
    return Windowed(**{**feature.__dict__, "low": None})


CREATORS: Final[tuple[Feature, ...]] = (
    *(stirred("views", _LISTING, days) for days in (7, 28, 84)),
    *(stirred(counter, _LISTING, 28) for counter in PER_VIEW),
    stirred("clicks", _LISTING, 84),
    *(stirred(counter, Level.PRODUCT, 28) for counter in ("views", "clicks")),
    *(stirred(counter, Level.CATEGORY_MARKET, 28) for counter in ("views", "clicks")),
    stirred("views", Level.SUPPLIER_CATEGORY, 84),
    *(_per_view(counter, _LISTING, 28) for counter in PER_VIEW),
    _per_view("clicks", Level.PRODUCT, 28),
    _per_view("clicks", Level.CATEGORY_MARKET, 28),
    _recent(7, 28),
    _recent(28, 84),
    Derived(
        name="view_share_category_market_28d",
        description="Share of the views of the category in the market that videos about the "
        "listing got in the last 28 days.",
        unit="share",
        family=Family.CREATORS,
        high=1.0,
        inputs=("views_28d", "views_category_market_28d"),
        function=share,
    ),
    Derived(
        name="units_per_click_84d",
        description="Units of the listing ordered in the last 84 days per click on videos about "
        "it in them.",
        unit="units per click",
        family=Family.CREATORS,
        inputs=("units_ordered_84d", "clicks_84d"),
        function=ratio,
    ),
    *_videos(_LISTING),
    *_videos(Level.PRODUCT),
    made("videos", "Videos made about listings of the {level}", Level.CATEGORY_MARKET),
    *(_REVIEWS, _SPONSORED, _SMALL, _REACH_KNOWN, _REACHED, _TONE_KNOWN),
    _unbounded_below(_TONE),
    share_of(
        "review_video_share", "Share of videos about the {level} that review it", _REVIEWS, _MADE
    ),
    share_of(
        "sponsored_share", "Share of videos about the {level} that were paid for", _SPONSORED, _MADE
    ),
    share_of(
        "small_creator_share",
        "Share of videos about the {level} by creators with fewer than 10,000 followers",
        _SMALL,
        _REACH_KNOWN,
    ),
    mean_of(
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
        family=Family.CREATORS,
        low=-1.0,
        high=1.0,
        inputs=(_TONE.name, _TONE_KNOWN.name),
        function=mean_of_parts,
        constants=(1000.0,),
    ),
    LargestShare(
        name="top_creator_view_share_84d",
        description="Share of the listing's views of the last 84 days that its top creator "
        "brought.",
        unit="share",
        family=Family.CREATORS,
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
    share_of(
        "creator_unit_share",
        "Share of the {level}'s units that were ordered through a creator",
        _CREATOR_UNITS,
        ORDERS.total("units", "", level=_LISTING, days=DAYS, unit="units", name="units_ordered"),
    ),
)
