"""Prices: the list price of a listing and its changes."""

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
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.candidates import Candidates
from features.runtime.arrays import FloatArray, IntArray

QUIET_DAYS: Final = 14
"""Nobody changes a price in the first two weeks."""
MEAN_CHANGE: Final = -0.05
CHANGE_SD: Final = 0.13
CHANGED_BEFORE: Final = 250
"""Changes take effect within the first minutes of a day, before anyone orders."""


@dataclass(frozen=True)
class PriceChanges:
    """Changes, by candidate and time: `level` is the log of the new price over the first."""

    candidate: IntArray
    day: IntArray
    second: IntArray
    level: FloatArray


def draw_price_changes(
    market: Simulation, clock: Clock, candidates: Candidates, chunk: int
) -> PriceChanges:
    """Draw when each candidate's price changes, and to what."""
    rng = generator(market.seed, "prices", chunk)
    life = np.maximum(clock.planned - candidates.live_day - QUIET_DAYS, 0)
    count = rng.poisson(market.demand.price_changes * life / 365)
    who = np.repeat(np.arange(len(candidates)), count)
    after = (rng.random(who.size) * life[who]).astype(np.int64)
    changes = {
        "candidate": who,
        "day": candidates.live_day[who] + QUIET_DAYS + after,
        "second": rng.integers(60, CHANGED_BEFORE, who.size),
        "level": rng.normal(MEAN_CHANGE, CHANGE_SD, who.size),
    }
    ordered = sort_columns(changes, "candidate", "day", "second")
    same_day = ordered["candidate"] * clock.planned + ordered["day"]
    is_first = np.r_[True, same_day[1:] != same_day[:-1]][: who.size]
    return PriceChanges(**select_rows(ordered, is_first))


def price_path(
    changes: PriceChanges, candidates: Candidates, rows: IntArray, days: int
) -> FloatArray:
    """Return the log price, in US dollars, in force on each day (rows, days)."""
    place = np.full(len(candidates), -1)
    place[rows] = np.arange(rows.size)
    is_wanted = place[changes.candidate] >= 0
    who, day, level = (one[is_wanted] for one in (changes.candidate, changes.day, changes.level))
    is_first = np.r_[True, who[1:] != who[:-1]][: who.size]
    before = np.where(is_first, 0.0, np.r_[0.0, level[:-1]][: who.size])
    steps = np.zeros((rows.size, days))
    steps[place[who], day] = level - before
    return np.asarray(np.log(candidates.price[rows])[:, None] + np.cumsum(steps, axis=1))


def price_rows(
    market: Simulation, clock: Clock, candidates: Candidates, changes: PriceChanges
) -> dict[str, pa.Array]:
    """Return the changes of listed candidates, in minor units of the market's currency."""
    is_shown = candidates.is_listed[changes.candidate] & (changes.day < clock.days)
    who, level = changes.candidate[is_shown], changes.level[is_shown]
    time = changes.day[is_shown] * DAY_US + changes.second[is_shown] * SECOND_US
    minor = to_minor_units(market, candidates, who, np.log(candidates.price[who]) + level)
    ordered = sort_columns({"listing": who, "time": time, "minor": minor}, "time", "listing")
    return {
        "listing": ordered["listing"],
        "price_minor": pa.array(ordered["minor"]),
        "event_time": pa.array(ordered["time"]),
    }


def to_minor_units(
    market: Simulation, candidates: Candidates, who: IntArray, log_price: FloatArray
) -> IntArray:
    """Return log prices in US dollars as minor units of the candidates' currencies, 1 at least."""
    rate = np.array([place.per_dollar for place in market.simulated_places])[candidates.place[who]]
    return np.maximum(np.round(100 * rate * np.exp(log_price)), 1).astype(np.int64)
