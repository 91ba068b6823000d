"""Signals of creators: their videos, the engagement of these, and their followers."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.signals.signal import Keys, add_level_keys, count_one, indicator

COUNTERS: Final = ("views", "clicks")
THOUSANDTHS: Final = 1_000


def videos(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return videos, with their tone."""
    rows = add_level_keys(dataset, dataset.knowable_rows("videos"), keys)
    return rows.select(
        *keys,
        "event_time",
        "available_at",
        videos=count_one(),
        sentiment_known=indicator(rows.sentiment.notnull()),
        sentiment_thousandths=(rows.sentiment * THOUSANDTHS).round().cast("int64").fill_null(0),
    )


def engagement(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return the growth of each video's counters: by how much an observation raised the maximum.

    Counters only grow, so an observation below the known maximum adds nothing. The rows known at a
    moment add up to the highest counters known at that moment.
    """
    videos_made = dataset.knowable_rows("videos").select(
        "video_id", "listing_id", "creator_id", made_known_at="available_at"
    )
    stats = dataset.knowable_rows("video_stats").inner_join(videos_made, "video_id")
    stats = stats.mutate(known_at=ibis.greatest(stats.available_at, stats.made_known_at))
    before = ibis.window(
        group_by="video_id",
        order_by=("known_at", "event_time"),
        rows=(None, -1),
    )
    added = stats.select(
        "listing_id",
        "creator_id",
        "event_time",
        available_at="known_at",
        **{name: _increase(stats[name], before) for name in COUNTERS},
    )
    return add_level_keys(dataset, added, keys).select(
        *keys, "event_time", "available_at", *COUNTERS
    )


def _increase(
    counter: ir.IntegerValue, before: ibis.expr.builders.WindowBuilder
) -> ir.IntegerValue:
    so_far = counter.max().over(before).fill_null(0)
    return ibis.greatest(counter - so_far, 0).cast("int64")


def creator_stats(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return observations of creators, with their followers."""
    stats = dataset.knowable_rows("creator_stats")
    return stats.select(*keys, "event_time", "available_at", "followers")
