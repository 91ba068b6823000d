"""Orders: the dice of demand, rolled against the plan and cut by the stock."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from experiments.simulator.configuration.arrays import sum_earlier_in_group
from experiments.simulator.configuration.clock import DAY_US, FIRST_SECOND, LAST_SECOND, SECOND_US
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.demand import mean_units
from experiments.simulator.mechanisms.plan import Chunk, ChunkPlan, World
from experiments.simulator.mechanisms.repurchase import draw_buyers
from features.runtime.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class DemandedLines:
    """What buyers want, by row of the plan and time: order lines before stock cuts them."""

    row: IntArray
    day: IntArray
    time: IntArray
    units: IntArray


@dataclass(frozen=True)
class OrderLines:
    """Order lines that were filled, by row of the plan and time."""

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
    """Draw the order lines that buyers want until each row's first day without sales, `gone`.

    Lines are Poisson, units a line logarithmic, so that units are negative binomial; a gamma shock
    a listing and week, which nobody foresees, is the rest.
    """
    market, clock = world.market, world.clock
    rng = generator(market.seed, "demand", chunk)
    spread = market.demand.shock_variance
    shape = (plan.rows.size, clock.weeks)
    shocks = rng.gamma(1 / spread, spread, shape) if spread > 0 else np.ones(shape)
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


def weekly_demand(world: World, wishes: DemandedLines, rows: int) -> IntArray:
    """Return the units wanted (rows, weeks)."""
    weeks = world.clock.weeks
    cell = wishes.row * weeks + world.clock.to_week(wishes.day)
    sums = np.bincount(cell, weights=wishes.units, minlength=rows * weeks)
    return np.asarray(sums.reshape(rows, weeks), dtype=np.int64)


def fill(world: World, wishes: DemandedLines, on_hand: IntArray) -> DemandedLines:
    """Return the wishes that the week's stock (rows, weeks) fills: who comes first is served.

    The last units go to whoever asks for more of them, as many as there are.
    """
    week = world.clock.to_week(wishes.day)
    before = sum_earlier_in_group(wishes.row * world.clock.weeks + week, wishes.units)
    left = np.maximum(on_hand[wishes.row, week] - before, 0)
    units = np.minimum(wishes.units, left)
    is_filled = units > 0
    cut = replace(wishes, units=units)
    return DemandedLines(**{f.name: getattr(cut, f.name)[is_filled] for f in fields(cut)})


def draw_lines(world: World, chunk: Chunk, plan: ChunkPlan, filled: DemandedLines) -> OrderLines:
    """Draw who buys each line, which creator led there, and how long the parcel takes."""
    market, candidates = world.market, chunk.candidates
    who = plan.rows[filled.row]
    buyer = _draw_buyers(world, chunk, plan, filled)
    lane = world.logistics.lane(candidates.place[who], candidates.mode[who])
    rng = generator(market.seed, "parcels", chunk.number)
    noise = market.logistics.transit_sd * rng.standard_normal(who.size)
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
        quality=candidates.quality[who],
        is_sized=np.array([one.is_sized for one in market.categories])[candidates.category[who]],
    )


def _draw_buyers(world: World, chunk: Chunk, plan: ChunkPlan, filled: DemandedLines) -> IntArray:
    """Return the buyer of each line: a returning one, or one out of the market's many."""
    rng = generator(world.market.seed, "buyers", chunk.number)
    repeat = plan.repeat_share[filled.row, filled.day]
    root = draw_buyers(world.market, rng, group=filled.row, time=filled.time, is_repeat=repeat)
    place = chunk.candidates.place[plan.rows[filled.row]]
    crowd = np.maximum(np.bincount(place, minlength=len(world.market.markets)), 1)
    drawn = (rng.random(root.size) * crowd[place]).astype(np.int64)[root]
    return (chunk.number * len(crowd) + place) * MAX_BUYERS + drawn


MAX_BUYERS = 10_000_000


def _attribute_creators(
    world: World, chunk: Chunk, plan: ChunkPlan, filled: DemandedLines
) -> IntArray:
    """Return the creator who led to each line, -1 for none.

    The share of lines that creators add goes to the last video before an exponential time.
    """
    rng = generator(world.market.seed, "attribution", chunk.number)
    is_led = rng.random(filled.row.size) < plan.creator_share[filled.row, filled.day]
    led = np.flatnonzero(is_led)
    creator = np.full(filled.row.size, -1)
    if chunk.videos.candidate.size == 0:
        return creator
    span = 2 * world.clock.planned * DAY_US
    videos = chunk.videos
    filmed = videos.candidate * span + videos.day * DAY_US + videos.second * SECOND_US
    who = plan.rows[filled.row[led]]
    back = rng.exponential(world.market.creators.fade_days * DAY_US, led.size).astype(np.int64)
    wanted = who * span + np.maximum(filled.time[led] - back, 0)
    last = np.searchsorted(filmed, wanted, side="right") - 1
    latest = np.searchsorted(filmed, who * span + filled.time[led], side="right") - 1
    is_own = (last >= 0) & (videos.candidate[last] == who)
    video = np.where(is_own, last, latest)
    is_own = (video >= 0) & (videos.candidate[video] == who)
    creator[led[is_own]] = videos.creator[video[is_own]]
    return creator
