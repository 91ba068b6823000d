"""Draw videos: creators and days, their effect on demand, and their counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.clock import (
    DAY_US,
    SECOND_US,
    Clock,
    select_rows,
    sort_columns,
)
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.identifiers import format_ids, take_names
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.candidates import Candidates
from experiments.simulator.mechanisms.creators import Creators, creator_names
from features.runtime.arrays import BoolArray, FloatArray, IntArray

KINDS: Final = ("review", "unboxing", "live", "ad")
KIND_SHARES: Final = (0.5, 0.25, 0.15, 0.1)
COUNT_SD: Final = 0.7
MEAN_WAIT_DAYS: Final = 45
OBSERVED_AT: Final = (*range(1, 15), 21, 28, 42, 56, 84)
"""Ages in days at which counters are read: daily for two weeks, then less often."""
ACTIVE_DAYS: Final = 28
COUNTERS: Final = ("views", "likes", "comments", "shares", "saves", "clicks")
USUAL_RATES: Final = (1.0, 0.045, 0.004, 0.003, 0.006, 0.012)
BOUGHT: Final = (True, True, False, False, False, False)
"""Fraud buys views and likes, and no comments, shares, saves or clicks."""


@dataclass(frozen=True)
class Videos:
    """The videos about a chunk's candidates, by candidate and time, listed or not.

    `impact` is the share of demand that the first day of a lone video adds.
    """

    candidate: IntArray
    day: IntArray
    second: IntArray
    creator: IntArray
    kind: IntArray
    is_sponsored: BoolArray
    is_fraud: BoolArray
    impact: FloatArray
    views: FloatArray
    sentiment: FloatArray


def draw_videos(
    market: Simulation, clock: Clock, candidates: Candidates, creators: Creators, chunk: int
) -> Videos:
    """Draw the videos about all candidates of a chunk."""
    sizes = market.creators
    rng = generator(market.seed, "videos", chunk)
    candidate = _draw_subjects(market, clock, candidates, rng)
    category_niche = [creators.niches.index(leaf.parent) for leaf in market.categories]
    creator = creators.pick(rng, np.array(category_niche)[candidates.category[candidate]])
    is_sponsored = rng.random(candidate.size) < sizes.sponsored_share
    tone = 0.25 + 0.3 * candidates.quality[candidate] + 0.25 * is_sponsored
    wait = rng.exponential(MEAN_WAIT_DAYS, candidate.size).astype(np.int64)
    columns = {
        "candidate": candidate,
        "day": candidates.live_day[candidate] + wait,
        "second": rng.integers(0, 86_400, candidate.size),
        "creator": creator,
        "kind": rng.choice(len(KINDS), candidate.size, p=KIND_SHARES),
        "is_sponsored": is_sponsored,
        "is_fraud": rng.random(candidate.size) < sizes.fraud_share,
        "impact": impact(market, creators, creator)
        * np.exp(rng.normal(-0.125, 0.5, candidate.size)),
        "views": creators.followers[creator] * np.exp(rng.normal(-0.7, 0.9, candidate.size)),
        "sentiment": np.tanh(tone + 0.4 * rng.standard_normal(candidate.size)),
    }
    planned = select_rows(columns, columns["day"] < clock.total_days)
    return Videos(**sort_columns(planned, "candidate", "day", "second"))


def _draw_subjects(
    market: Simulation, clock: Clock, candidates: Candidates, rng: np.random.Generator
) -> IntArray:
    affinity = np.array([leaf.creator_affinity for leaf in market.categories])[candidates.category]
    noise = rng.normal(-(COUNT_SD**2) / 2, COUNT_SD, len(candidates))
    buzz = np.exp(0.35 * candidates.appeal + noise)
    rate = market.creators.videos_a_listing * affinity * buzz
    rate *= candidates.live_day < clock.total_days
    return np.repeat(np.arange(len(candidates)), rng.poisson(rate))


def impact(market: Simulation, creators: Creators, creator: IntArray) -> FloatArray:
    """Return the impact of a creator's video: reach and persuasion interact negatively."""
    sizes = market.creators
    reach, persuasion = creators.reach[creator], creators.persuasion[creator]
    log_impact = (
        sizes.reach_slope * reach
        + sizes.persuasion_slope * persuasion
        - sizes.interaction * reach * persuasion
    )
    return np.asarray(sizes.strength * sizes.impact * np.exp(log_impact - 0.3), dtype=np.float64)


def lift(
    market: Simulation, clock: Clock, videos: Videos, rows: IntArray, count: int
) -> FloatArray:
    """Return the factor by which creators raise demand on each day, shape (rows, days).

    Impacts fade exponentially from the day after the video. More videos in the last weeks reduce
    the worth of their sum, so the effect of the number of creators is an inverted U.
    """
    plan_row = np.full(count, -1)
    plan_row[rows] = np.arange(rows.size)
    is_wanted = (plan_row[videos.candidate] >= 0) & (videos.day + 1 < clock.total_days)
    row, day = plan_row[videos.candidate[is_wanted]], videos.day[is_wanted] + 1
    impacts, numbers = np.zeros((2, rows.size, clock.total_days))
    np.add.at(impacts, (row, day), videos.impact[is_wanted])
    np.add.at(numbers, (row, day), 1.0)
    fading = np.exp(-1 / market.creators.fade_days)
    pull = decay(impacts, fading)
    active = decay(numbers, np.exp(-1 / ACTIVE_DAYS))
    crowding = np.exp(-np.maximum(active - 1, 0) / market.creators.best_number)
    return np.asarray(1 + pull * crowding, dtype=np.float64)


def decay(values: FloatArray, kept: float) -> FloatArray:
    """Return the running sum of each row; it keeps a share of itself from day to day."""
    sums = np.zeros_like(values)
    state = np.zeros(len(values))
    for day in range(values.shape[1]):
        state = kept * state + values[:, day]
        sums[:, day] = state
    return sums


def growth(age_days: FloatArray, fade_days: float) -> FloatArray:
    """Return the share of a video's views at an age: fast growth, then slow without an end."""
    fast = 1 - np.exp(-age_days / (fade_days / 2))
    return np.asarray((fast + 0.08 * np.log1p(age_days)) / 1.35, dtype=np.float64)


def video_names(chunk: int, rows: IntArray) -> pa.Array:
    """Return the identifiers of a chunk's videos."""
    return format_ids("V", (np.full(rows.size, chunk), 5), (rows, 7))


def video_rows(chunk: int, videos: Videos, shown: IntArray) -> dict[str, pa.Array]:
    """Return the shown videos, in order of time."""
    time = videos.day[shown] * DAY_US + videos.second[shown] * SECOND_US
    order = np.argsort(time, kind="stable")
    rows = shown[order]
    return {
        "video_id": video_names(chunk, rows),
        "listing": videos.candidate[rows],
        "creator_id": creator_names(videos.creator[rows]),
        "kind": take_names(KINDS, videos.kind[rows]),
        "is_sponsored": pa.array(videos.is_sponsored[rows]),
        "sentiment": pa.array(np.round(videos.sentiment[rows], 3)),
        "event_time": pa.array(time[order]),
    }


def video_stats_rows(
    market: Simulation, clock: Clock, chunk: int, videos: Videos, shown: IntArray
) -> dict[str, pa.Array]:
    """Return the readings of the shown videos' counters, which never fall."""
    rng = generator(market.seed, "video_stats", chunk)
    count = videos.candidate.size
    taste = np.exp(rng.normal(0, 0.35, (count, len(COUNTERS))))
    taste[:, 0] = 1.0
    # Persuasion earns clicks a view, whatever the reach.
    taste[:, -1] *= np.clip(videos.impact / max(market.creators.impact, 0.01), 0.2, 5) ** 0.5
    read_at = rng.integers(0, 7_200, (count, len(OBSERVED_AT)))[shown]
    ages = np.array(OBSERVED_AT)
    start = videos.day[shown] * DAY_US + videos.second[shown] * SECOND_US
    time = start[:, None] + ages * DAY_US + read_at * SECOND_US
    rows, age = np.nonzero(time < clock.days * DAY_US)
    video = shown[rows]
    exact_age = ages[age] + read_at[rows, age] / 86_400
    views = videos.views[video] * growth(exact_age, market.creators.fade_days)
    columns = {"video": video, "time": time[rows, age]}
    for index, name in enumerate(COUNTERS):
        bought = np.where(videos.is_fraud[video], market.creators.fraud_factor, 1.0)
        factor = bought if BOUGHT[index] else 1.0
        columns[name] = (views * USUAL_RATES[index] * taste[video, index] * factor).astype(np.int64)
    ordered = sort_columns(columns, "time", "video")
    return {
        "video_id": video_names(chunk, ordered["video"]),
        **{name: pa.array(ordered[name]) for name in COUNTERS},
        "event_time": pa.array(ordered["time"]),
    }
