"""Draw orders: the dice of demand, rolled against the plan and limited by the stock."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from experiments.simulator.configuration.arrays import sum_earlier_in_group
from experiments.simulator.configuration.clock import DAY_US, FIRST_SECOND, LAST_SECOND, SECOND_US
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.demand import mean_units
from experiments.simulator.mechanisms.plan import Chunk, ChunkPlan, World
from experiments.simulator.mechanisms.repurchase import draw_buyers
from features.runtime.arrays import BoolArray, FloatArray, IntArray

MAX_BUYERS: Final = 10_000_000
"""More buyers than a market of a chunk has: keeps the numbers of buyers apart."""


@dataclass(frozen=True)
class DemandedLines:
    """Demanded order lines by row of the plan and time, before stock limits them."""

    row: IntArray
    day: IntArray
    time: IntArray
    units: IntArray


@dataclass(frozen=True)
class OrderLines:
    """Filled order lines by row of the plan and time."""

    row: IntArray
    day: IntArray
    time: IntArray
    units: IntArray
    buyer: IntArray
    creator: IntArray
    promised: IntArray
    delivered: IntArray
    is_late: BoolArray
    quality: FloatArray
    is_sized: BoolArray

    def select(self, keep: IntArray | BoolArray) -> OrderLines:
        """Return some of the lines."""
        return OrderLines(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})


def draw_demanded_lines(
    world: World, plan: ChunkPlan, gone: IntArray, *, chunk: int
) -> DemandedLines:
    """Draw the demanded order lines until each row's first day without sales, `gone`.

    Lines are Poisson and units a line logarithmic, so that units are negative binomial. A gamma
    shock multiplies the rate of each listing and week.
    """
    market, clock = world.market, world.clock
    rng = generator(market.seed, "demand", chunk)
    variance = market.demand.shock_variance
    shape = (plan.rows.size, clock.weeks)
    shocks = rng.gamma(1 / variance, variance, shape) if variance > 0 else np.ones(shape)
    week = clock.to_week(np.arange(clock.days))
    rate = plan.units[:, : clock.days] / mean_units(market) * shocks[:, week]
    rate *= np.arange(clock.days) < gone[:, None]
    counts = rng.poisson(rate)
    cell = np.repeat(np.arange(counts.size), counts.ravel())
    seconds = rng.integers(FIRST_SECOND, LAST_SECOND, cell.size)
    theta = market.demand.units_theta
    units = rng.logseries(theta, cell.size) if theta > 0 else np.ones(cell.size, np.int64)
    within = np.sort(cell * 86_400 + seconds)
    cell, seconds = within // 86_400, within % 86_400
    day = cell % clock.days
    return DemandedLines(
        row=cell // clock.days, day=day, time=day * DAY_US + seconds * SECOND_US, units=units
    )


def sum_weekly_demand(world: World, demanded: DemandedLines, rows: int) -> IntArray:
    """Return the demanded units, shape (rows, weeks)."""
    weeks = world.clock.weeks
    cell = demanded.row * weeks + world.clock.to_week(demanded.day)
    sums = np.bincount(cell, weights=demanded.units, minlength=rows * weeks)
    return np.asarray(sums.reshape(rows, weeks), dtype=np.int64)


def fill_orders(world: World, demanded: DemandedLines, on_hand: IntArray) -> DemandedLines:
    """Return the lines that the week's stock `on_hand` (rows, weeks) fills, in order of time.

    The line that exceeds the rest of the stock gets that rest.
    """
    week = world.clock.to_week(demanded.day)
    before = sum_earlier_in_group(demanded.row * world.clock.weeks + week, demanded.units)
    left = np.maximum(on_hand[demanded.row, week] - before, 0)
    units = np.minimum(demanded.units, left)
    is_filled = units > 0
    limited = replace(demanded, units=units)
    return DemandedLines(**{f.name: getattr(limited, f.name)[is_filled] for f in fields(limited)})


def draw_lines(world: World, chunk: Chunk, plan: ChunkPlan, filled: DemandedLines) -> OrderLines:
    """Draw the buyer of each line, the creator who led to it, and the days of its parcel."""
    market, candidates = world.market, chunk.candidates
    candidate = plan.rows[filled.row]
    buyer = _draw_buyers(world, chunk, plan, filled)
    lane = world.logistics.lane(candidates.place[candidate], candidates.mode[candidate])
    rng = generator(market.seed, "parcels", chunk.number)
    noise = market.logistics.transit_sd * rng.standard_normal(candidate.size)
    days = world.logistics.median[lane, filled.day] * np.exp(noise)
    promised = world.logistics.promised[lane]
    return OrderLines(
        row=filled.row,
        day=filled.day,
        time=filled.time,
        units=filled.units,
        buyer=buyer,
        creator=_attribute_creators(world, chunk, plan, filled),
        promised=promised,
        delivered=filled.time + (days * DAY_US).astype(np.int64),
        is_late=days > promised,
        quality=candidates.quality[candidate],
        is_sized=np.array([leaf.is_sized for leaf in market.categories])[
            candidates.category[candidate]
        ],
    )


def _draw_buyers(world: World, chunk: Chunk, plan: ChunkPlan, filled: DemandedLines) -> IntArray:
    """Draw the buyer of each line: a returning buyer, or a random buyer of the market."""
    rng = generator(world.market.seed, "buyers", chunk.number)
    repeat = plan.repeat_share[filled.row, filled.day]
    root = draw_buyers(world.market, rng, group=filled.row, time=filled.time, is_repeat=repeat)
    place = chunk.candidates.place[plan.rows[filled.row]]
    buyers = np.maximum(np.bincount(place, minlength=len(world.market.markets)), 1)
    drawn = (rng.random(root.size) * buyers[place]).astype(np.int64)[root]
    return (chunk.number * len(buyers) + place) * MAX_BUYERS + drawn


def _attribute_creators(
    world: World, chunk: Chunk, plan: ChunkPlan, filled: DemandedLines
) -> IntArray:
    """Return the creator who led to each line, -1 without a creator.

    A line that creators add belongs to the last video before an exponential time ago.
    """
    rng = generator(world.market.seed, "attribution", chunk.number)
    is_led = rng.random(filled.row.size) < plan.creator_share[filled.row, filled.day]
    led = np.flatnonzero(is_led)
    creator = np.full(filled.row.size, -1)
    if chunk.videos.candidate.size == 0:
        return creator
    span = 2 * world.clock.total_days * DAY_US
    videos = chunk.videos
    filmed = videos.candidate * span + videos.day * DAY_US + videos.second * SECOND_US
    candidate = plan.rows[filled.row[led]]
    back = rng.exponential(world.market.creators.fade_days * DAY_US, led.size).astype(np.int64)
    moment = candidate * span + np.maximum(filled.time[led] - back, 0)
    last = np.searchsorted(filmed, moment, side="right") - 1
    latest = np.searchsorted(filmed, candidate * span + filled.time[led], side="right") - 1
    is_own = (last >= 0) & (videos.candidate[last] == candidate)
    video = np.where(is_own, last, latest)
    is_own = (video >= 0) & (videos.candidate[video] == candidate)
    creator[led[is_own]] = videos.creator[video[is_own]]
    return creator
