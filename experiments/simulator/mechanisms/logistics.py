"""Draw logistics: promised and actual days by market and mode, and the share of late parcels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from experiments.simulator.configuration.clock import Clock
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.candidates import MODES
from features.runtime.arrays import FloatArray, IntArray

MODE_FACTOR: Final = (1.0, 0.7, 1.5)
"""Transit over the market's median, by mode: a local warehouse is faster, a seller slower."""
CARRIERS: Final = ("swift_post", "blue_parcel", "overland", "harbour_line")
MEMORY_DAYS: Final = 28
PEAK: Final = 0.15
"""Increase of transit times (log) in the four weeks before Christmas."""
PERSISTENCE: Final = 0.8


@dataclass(frozen=True)
class Logistics:
    """Transit by lane, which is a market and a mode; arrays have shape (lanes, days).

    `promised` has shape (lanes,). `late_lately` is the mean late share of the past days.
    """

    median: FloatArray
    promised: IntArray
    late_share: FloatArray
    late_lately: FloatArray

    def lane(self, place: IntArray, mode: IntArray) -> IntArray:
        """Return the lane of each candidate."""
        return np.asarray(place * len(MODES) + mode, dtype=np.int64)


def is_before_christmas(clock: Clock) -> FloatArray:
    """Return 1 on the days of the four weeks before Christmas, else 0."""
    return ((clock.day_of_year >= 330) & (clock.day_of_year <= 357)).astype(np.float64)  # noqa: PLR2004 - days of the year


def draw_logistics(market: Simulation, clock: Clock) -> Logistics:
    """Draw the congestion of each market by week and derive the share of late parcels."""
    sizes = market.logistics
    rng = generator(market.seed, "logistics")
    shocks = rng.standard_normal((len(market.places), clock.weeks + 1))[: len(market.markets)]
    state = np.zeros_like(shocks)
    state[:, 0] = shocks[:, 0]
    for week in range(1, shocks.shape[1]):
        innovation = np.sqrt(1 - PERSISTENCE**2) * shocks[:, week]
        state[:, week] = PERSISTENCE * state[:, week - 1] + innovation
    week_of_day = clock.to_week(np.arange(clock.total_days))
    congestion = sizes.congestion_sd * state[:, week_of_day] + PEAK * is_before_christmas(clock)
    parcel = np.array([place.parcel_days for place in market.market_places])
    usual = (parcel[:, None] * np.array(MODE_FACTOR)).ravel()
    median = usual[:, None] * np.exp(np.repeat(congestion, len(MODES), axis=0))
    promised = np.ceil(usual * np.exp(ndtri(sizes.promise_quantile) * sizes.transit_sd))
    late_share = ndtr(-(np.log(promised)[:, None] - np.log(median)) / sizes.transit_sd)
    return Logistics(
        median=median,
        promised=promised.astype(np.int64),
        late_share=late_share,
        late_lately=_trailing_mean(late_share, MEMORY_DAYS),
    )


def _trailing_mean(values: FloatArray, days: int) -> FloatArray:
    """Return each day's mean of up to `days` days before it; the first day has its own value."""
    cumulated = np.cumsum(np.c_[np.zeros(len(values)), values], axis=1)
    stop = np.maximum(np.arange(values.shape[1]), 1)
    start = np.maximum(stop - days, 0)
    return np.asarray((cumulated[:, stop] - cumulated[:, start]) / (stop - start), dtype=np.float64)
