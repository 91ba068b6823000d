"""Follow stock week by week: the seller's imperfect rule for lots, arrivals and counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.clock import (
    COUNTED_BEFORE_MIDNIGHT_US,
    DAY_US,
    SECOND_US,
    WEEK,
    Clock,
    sort_columns,
)
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.candidates import Candidates
from experiments.simulator.mechanisms.localisation import LISTED_SECOND
from experiments.simulator.mechanisms.plan import Chunk, ChunkPlan, World
from features.runtime.arrays import BoolArray, FloatArray, IntArray

SIGHT_DAYS: Final = 28
LOT_STEP: Final = 2
ACTIVE_WEEKS: Final = 4
NOTHING_COMING: Final = -1
MIN_RATE: Final = 0.05
"""Units a day below which a seller doesn't reorder."""


@dataclass(frozen=True)
class StockPath:
    """Stock at each Monday, shape (rows, weeks), after arrivals and before the week's sales.

    `arrival_week` is the week in which inbound units arrive, -1 without any. In the week in which
    a listing goes live, `on_hand` is its first lot.
    """

    on_hand: IntArray
    inbound: IntArray
    arrival_week: IntArray
    first_lot: IntArray
    live_week: IntArray


def first_lots(world: World, chunk: Chunk, plan: ChunkPlan) -> IntArray:
    """Return the first lots: sellers guess the demand of `SIGHT_DAYS` days, with an error.

    The guess knows category and market, and a part of the listing's own appeal (`insight`).
    """
    sizes, candidates = world.market.seller, chunk.candidates
    rng = generator(world.market.seed, "first lots", chunk.number)
    error = sizes.error_sd * rng.standard_normal(len(candidates))[plan.rows]
    days = candidates.live_day[plan.rows][:, None] + np.arange(SIGHT_DAYS)
    true_rate = np.take_along_axis(plan.units, days, axis=1).mean(axis=1)
    special = (candidates.appeal + candidates.taste)[plan.rows]
    guess = true_rate * np.exp(error - (1 - sizes.insight) * special)
    return _round_to_lots(guess * sizes.cover_days, sizes.least_lot)


def _round_to_lots(units: FloatArray, least: float) -> IntArray:
    return (np.maximum(np.round(units / LOT_STEP) * LOT_STEP, least)).astype(np.int64)


def follow_stock(
    world: World, chunk: Chunk, plan: ChunkPlan, *, demanded: IntArray, gone: IntArray
) -> StockPath:
    """Follow stock week by week; `demanded` units (rows, weeks) are sold while stock lasts.

    On a Monday inbound units arrive, stock is counted, and then the seller may reorder a lot if
    none is on its way. From the Monday after the takedown (`gone` is its day) on, stock is 0.
    """
    clock, rows = world.clock, plan.rows
    lots = first_lots(world, chunk, plan)
    live_week = clock.to_week(chunk.candidates.live_day[rows])
    gone_week = clock.to_week(gone - 1) + 1
    reorders = _Reorders(world, chunk.candidates, rows, chunk.number)
    sold = np.zeros(demanded.shape, np.int64)
    on_hand, inbound = np.zeros((2, rows.size), np.int64)
    arrival = np.full(rows.size, NOTHING_COMING)
    counted = []
    for week in range(clock.weeks):
        is_arriving, is_gone = arrival == week, gone_week <= week
        on_hand = on_hand + np.where(is_arriving, inbound, 0) + np.where(live_week == week, lots, 0)
        on_hand[is_gone] = 0
        inbound = np.where(is_arriving | is_gone, 0, inbound)
        arrival = np.where(is_arriving | is_gone, NOTHING_COMING, arrival)
        counted.append((on_hand, inbound, arrival))
        recent = sold[:, max(week - ACTIVE_WEEKS, 0) : week].sum(axis=1)
        lot, arrival_week = reorders.decide(week, recent, on_hand, week - live_week)
        is_free = (arrival == NOTHING_COMING) & (live_week < week) & ~is_gone & (lot > 0)
        inbound, arrival = np.where(is_free, lot, inbound), np.where(is_free, arrival_week, arrival)
        sold[:, week] = np.minimum(demanded[:, week], on_hand)
        on_hand = on_hand - sold[:, week]
    paths = [np.stack(weekly, axis=1) for weekly in zip(*counted, strict=True)]
    return StockPath(
        on_hand=paths[0],
        inbound=paths[1],
        arrival_week=paths[2],
        first_lot=lots,
        live_week=live_week,
    )


class _Reorders:
    """The seller's rule for reorders, with its errors."""

    def __init__(self, world: World, candidates: Candidates, rows: IntArray, chunk: int) -> None:
        """Draw all errors and delays in advance, for all candidates, listed or not."""
        rng = generator(world.market.seed, "reorders", chunk)
        shape = (len(candidates), world.clock.weeks)
        self._sizes = world.market.seller
        self._error = np.exp(self._sizes.reorder_sd * rng.standard_normal(shape))[rows]
        self._is_seen = (rng.random(shape) < self._sizes.reorder_share)[rows]
        supplier = candidates.supplier[rows]
        lead = world.suppliers.lead_days[supplier][:, None]
        delay = rng.exponential(1.0, shape)[rows] * world.suppliers.delay_days[supplier][:, None]
        self._weeks = np.ceil((lead + delay) / WEEK).astype(np.int64)
        self._lead = lead[:, 0]

    def decide(
        self, week: int, recent: IntArray, on_hand: IntArray, age_weeks: IntArray
    ) -> tuple[IntArray, IntArray]:
        """Return the reordered units, 0 without a reorder, and the week of their arrival."""
        seen_days = np.clip(age_weeks, 1, ACTIVE_WEEKS) * WEEK
        rate = recent / seen_days * self._error[:, week]
        is_due = on_hand < rate * (self._lead + WEEK)
        is_worth = rate > MIN_RATE
        lot = _round_to_lots(rate * self._sizes.cover_days, self._sizes.least_lot)
        is_ordered = is_due & is_worth & self._is_seen[:, week]
        return np.where(is_ordered, lot, 0), week + self._weeks[:, week]


def is_counted(clock: Clock, path: StockPath) -> BoolArray:
    """Return True for the Mondays with a count of stock, once live, shape (rows, weeks)."""
    week = np.arange(clock.weeks)
    in_data = (clock.monday(week) >= 0) & (clock.monday(week) <= clock.days)
    return np.asarray((week > path.live_week[:, None]) & in_data, dtype=np.bool_)


def stock_rows(
    clock: Clock, candidates: Candidates, plan: ChunkPlan, path: StockPath
) -> dict[str, pa.Array]:
    """Return the first lots when they go on sale, and the counts at the end of each Sunday."""
    row, week = np.nonzero(is_counted(clock, path))
    live = candidates.live_day[plan.rows]
    columns = {
        "listing": np.r_[plan.rows, plan.rows[row]],
        "on_hand": np.r_[path.first_lot, path.on_hand[row, week]],
        "inbound": np.r_[np.zeros(plan.rows.size, np.int64), path.inbound[row, week]],
        "time": np.r_[
            (live - 1) * DAY_US + LISTED_SECOND * SECOND_US,
            clock.monday(week) * DAY_US - COUNTED_BEFORE_MIDNIGHT_US,
        ],
    }
    ordered = sort_columns(columns, "time", "listing")
    return {
        "listing": ordered["listing"],
        "on_hand_units": pa.array(ordered["on_hand"]),
        "inbound_units": pa.array(ordered["inbound"]),
        "event_time": pa.array(ordered["time"]),
    }
