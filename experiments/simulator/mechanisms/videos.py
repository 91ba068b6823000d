"""Videos: who films what and when, what it does to demand, and what its counters show."""

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
"""Ages in days at which counters are read: daily for two weeks, then less and less."""
ACTIVE_DAYS: Final = 28
COUNTERS: Final = ("views", "likes", "comments", "shares", "saves", "clicks")
USUAL_RATES: Final = (1.0, 0.045, 0.004, 0.003, 0.006, 0.012)
BOUGHT: Final = (True, True, False, False, False, False)
"""Fraud buys views and likes; comments, shares, saves and clicks stay behind."""


@dataclass(frozen=True)
class Videos:
    """The videos about a chunk's candidates, by candidate and time, listed or not.

    `impact` is what the first day of a lone video adds to demand, as a share of it.
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
    who = _draw_subjects(market, clock, candidates, rng)
    niche_of = [creators.niches.index(one.parent) for one in market.categories]
    creator = creators.pick(rng, np.array(niche_of)[candidates.category[who]])
    is_sponsored = rng.random(who.size) < sizes.sponsored_share
    tone = 0.25 + 0.3 * candidates.quality[who] + 0.25 * is_sponsored
    wait = rng.exponential(MEAN_WAIT_DAYS, who.size).astype(np.int64)
    columns = {
        "candidate": who,
        "day": candidates.live_day[who] + wait,
        "second": rng.integers(0, 86_400, who.size),
        "creator": creator,
        "kind": rng.choice(len(KINDS), who.size, p=KIND_SHARES),
        "is_sponsored": is_sponsored,
        "is_fraud": rng.random(who.size) < sizes.fraud_share,
        "impact": impact(market, creators, creator) * np.exp(rng.normal(-0.125, 0.5, who.size)),
        "views": creators.followers[creator] * np.exp(rng.normal(-0.7, 0.9, who.size)),
        "sentiment": np.tanh(tone + 0.4 * rng.standard_normal(who.size)),
    }
    planned = select_rows(columns, columns["day"] < clock.planned)
    return Videos(**sort_columns(planned, "candidate", "day", "second"))


def _draw_subjects(
    market: Simulation, clock: Clock, candidates: Candidates, rng: np.random.Generator
) -> IntArray:
    affinity = np.array([one.creator_affinity for one in market.categories])[candidates.category]
    noise = rng.normal(-(COUNT_SD**2) / 2, COUNT_SD, len(candidates))
    buzz = np.exp(0.35 * candidates.appeal + noise)
    rate = market.creators.videos_a_listing * affinity * buzz
    rate *= candidates.live_day < clock.planned
    return np.repeat(np.arange(len(candidates)), rng.poisson(rate))


def impact(market: Simulation, creators: Creators, creator: IntArray) -> FloatArray:
    """Return what a creator's video adds: reach and persuasion, interacting negatively."""
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
    """Return the factor by which creators raise demand on each day (rows, days).

    Impacts fade exponentially from the day after the video on; their sum is worth less the more
    videos there were in the last weeks, so that the number of creators works as an inverted U.
    """
    place = np.full(count, -1)
    place[rows] = np.arange(rows.size)
    is_wanted = (place[videos.candidate] >= 0) & (videos.day + 1 < clock.planned)
    who, day = place[videos.candidate[is_wanted]], videos.day[is_wanted] + 1
    impacts, numbers = np.zeros((2, rows.size, clock.planned))
    np.add.at(impacts, (who, day), videos.impact[is_wanted])
    np.add.at(numbers, (who, day), 1.0)
    fading = np.exp(-1 / market.creators.fade_days)
    pull = decay(impacts, fading)
    active = decay(numbers, np.exp(-1 / ACTIVE_DAYS))
    crowding = np.exp(-np.maximum(active - 1, 0) / market.creators.best_number)
    return np.asarray(1 + pull * crowding, dtype=np.float64)


def decay(values: FloatArray, kept: float) -> FloatArray:
    """Return the running sum of each row, of which a share is kept from day to day."""
    sums = np.zeros_like(values)
    state = np.zeros(len(values))
    for day in range(values.shape[1]):
        state = kept * state + values[:, day]
        sums[:, day] = state
    return sums


def growth(age_days: FloatArray, fade_days: float) -> FloatArray:
    """Return the share of a video's views that it has at an age: fast, then slow for ever."""
    fast = 1 - np.exp(-age_days / (fade_days / 2))
    return np.asarray((fast + 0.08 * np.log1p(age_days)) / 1.35, dtype=np.float64)


def video_numbers(chunk: int, rows: IntArray) -> pa.Array:
    """Return the identifiers of a chunk's videos."""
    return format_ids("V", (np.full(rows.size, chunk), 5), (rows, 7))


def video_rows(chunk: int, videos: Videos, shown: IntArray) -> dict[str, pa.Array]:
    """Return the shown videos, in order of time."""
    time = videos.day[shown] * DAY_US + videos.second[shown] * SECOND_US
    order = np.argsort(time, kind="stable")
    rows = shown[order]
    return {
        "video_id": video_numbers(chunk, rows),
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
    """Return the counters of the shown videos as read; they never fall."""
    rng = generator(market.seed, "video_stats", chunk)
    count = videos.candidate.size
    taste = np.exp(rng.normal(0, 0.35, (count, len(COUNTERS))))
    taste[:, 0] = 1.0
    # Who persuades earns clicks for each view, whatever the reach.
    taste[:, -1] *= np.clip(videos.impact / max(market.creators.impact, 0.01), 0.2, 5) ** 0.5
    read_at = rng.integers(0, 7_200, (count, len(OBSERVED_AT)))[shown]
    ages = np.array(OBSERVED_AT)
    start = videos.day[shown] * DAY_US + videos.second[shown] * SECOND_US
    time = start[:, None] + ages * DAY_US + read_at * SECOND_US
    rows, age = np.nonzero(time < clock.days * DAY_US)
    which = shown[rows]
    exact_age = ages[age] + read_at[rows, age] / 86_400
    views = videos.views[which] * growth(exact_age, market.creators.fade_days)
    columns = {"video": which, "time": time[rows, age]}
    for place, name in enumerate(COUNTERS):
        bought = np.where(videos.is_fraud[which], market.creators.fraud_factor, 1.0)
        factor = bought if BOUGHT[place] else 1.0
        columns[name] = (views * USUAL_RATES[place] * taste[which, place] * factor).astype(np.int64)
    ordered = sort_columns(columns, "time", "video")
    return {
        "video_id": video_numbers(chunk, ordered["video"]),
        **{name: pa.array(ordered[name]) for name in COUNTERS},
        "event_time": pa.array(ordered["time"]),
    }
