"""Draw the list prices of listings and their changes."""

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
"""Days after going live without a change of price."""
MEAN_CHANGE: Final = -0.05
CHANGE_SD: Final = 0.13
CHANGED_BEFORE: Final = 250
"""Changes take effect within the first minutes of a day, before the first order."""


@dataclass(frozen=True)
class PriceChanges:
    """Changes of price by candidate and time; `log_ratio` is the log of new over first price."""

    candidate: IntArray
    day: IntArray
    second: IntArray
    log_ratio: FloatArray


def draw_price_changes(
    market: Simulation, clock: Clock, candidates: Candidates, chunk: int
) -> PriceChanges:
    """Draw the days and the new prices of each candidate's changes."""
    rng = generator(market.seed, "prices", chunk)
    life = np.maximum(clock.total_days - candidates.live_day - QUIET_DAYS, 0)
    count = rng.poisson(market.demand.price_changes * life / 365)
    candidate = np.repeat(np.arange(len(candidates)), count)
    after = (rng.random(candidate.size) * life[candidate]).astype(np.int64)
    changes = {
        "candidate": candidate,
        "day": candidates.live_day[candidate] + QUIET_DAYS + after,
        "second": rng.integers(60, CHANGED_BEFORE, candidate.size),
        "log_ratio": rng.normal(MEAN_CHANGE, CHANGE_SD, candidate.size),
    }
    ordered = sort_columns(changes, "candidate", "day", "second")
    same_day = ordered["candidate"] * clock.total_days + ordered["day"]
    is_first = np.r_[True, same_day[1:] != same_day[:-1]][: candidate.size]
    return PriceChanges(**select_rows(ordered, is_first))


def price_path(
    changes: PriceChanges, candidates: Candidates, rows: IntArray, days: int
) -> FloatArray:
    """Return the log price in US dollars on each day, shape (rows, days)."""
    plan_row = np.full(len(candidates), -1)
    plan_row[rows] = np.arange(rows.size)
    is_wanted = plan_row[changes.candidate] >= 0
    candidate, day = changes.candidate[is_wanted], changes.day[is_wanted]
    log_ratio = changes.log_ratio[is_wanted]
    is_first = np.r_[True, candidate[1:] != candidate[:-1]][: candidate.size]
    before = np.where(is_first, 0.0, np.r_[0.0, log_ratio[:-1]][: candidate.size])
    steps = np.zeros((rows.size, days))
    steps[plan_row[candidate], day] = log_ratio - before
    return np.asarray(np.log(candidates.price[rows])[:, None] + np.cumsum(steps, axis=1))


def price_rows(
    market: Simulation, clock: Clock, candidates: Candidates, changes: PriceChanges
) -> dict[str, pa.Array]:
    """Return the changes of listed candidates in minor units of the market's currency."""
    is_shown = candidates.is_listed[changes.candidate] & (changes.day < clock.days)
    candidate, log_ratio = changes.candidate[is_shown], changes.log_ratio[is_shown]
    time = changes.day[is_shown] * DAY_US + changes.second[is_shown] * SECOND_US
    log_price = np.log(candidates.price[candidate]) + log_ratio
    minor = to_minor_units(market, candidates, candidate, log_price)
    ordered = sort_columns({"listing": candidate, "time": time, "minor": minor}, "time", "listing")
    return {
        "listing": ordered["listing"],
        "price_minor": pa.array(ordered["minor"]),
        "event_time": pa.array(ordered["time"]),
    }


def to_minor_units(
    market: Simulation, candidates: Candidates, candidate: IntArray, log_price: FloatArray
) -> IntArray:
    """Convert log prices in US dollars to minor units of the candidates' currencies, 1 at least."""
    rate = np.array([place.per_dollar for place in market.market_places])[
        candidates.place[candidate]
    ]
    return np.maximum(np.round(100 * rate * np.exp(log_price)), 1).astype(np.int64)
