"""The factors of demand: season, price, age, localisation and late parcels."""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.simulator.configuration.clock import Clock
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms.candidates import Candidates
from experiments.simulator.mechanisms.localisation import LocalisationSettings
from experiments.simulator.mechanisms.logistics import Logistics, is_before_christmas
from features.runtime.arrays import FloatArray, IntArray

WEEKEND: Final = 0.12
"""Increase of demand (log) on Saturdays and Sundays."""
FIRST_WEEKEND_DAY: Final = 5


def season(market: Simulation, clock: Clock, candidates: Candidates, rows: IntArray) -> FloatArray:
    """Return the log factor of the time of the year and the week, shape (rows, days)."""
    amplitude = np.array([leaf.season for leaf in market.categories])
    peak = np.array([leaf.peak_day for leaf in market.categories])
    wave = amplitude[:, None] * np.cos(2 * np.pi * (clock.day_of_year - peak[:, None]) / 365.25)
    holiday = np.array([place.holiday for place in market.market_places])
    uplift = holiday[:, None] * is_before_christmas(clock)
    weekday = (np.arange(clock.total_days) + clock.offset) % 7
    week = WEEKEND * (weekday >= FIRST_WEEKEND_DAY)
    return np.asarray(wave[candidates.category[rows]] + uplift[candidates.place[rows]] + week)


def price_response(
    market: Simulation, candidates: Candidates, rows: IntArray, log_price: FloatArray
) -> FloatArray:
    """Return the log factor of the price against comparable listings, shape (rows, days)."""
    elasticity = np.array([leaf.elasticity for leaf in market.categories])
    log_excess = log_price - np.log(candidates.reference[rows])[:, None]
    return np.asarray(
        -elasticity[candidates.category[rows]][:, None] * log_excess, dtype=np.float64
    )


def age_curve(market: Simulation, clock: Clock, live_day: IntArray) -> FloatArray:
    """Return the factor of a listing's age, (rows, days): 0 before it is live, a rise, a fall."""
    sizes = market.demand
    age = np.arange(clock.total_days) - live_day[:, None]
    rise = 1 - np.exp(-(np.maximum(age, 0) + 2) / sizes.rise_days)
    return np.where(age < 0, 0.0, rise * np.exp(-np.maximum(age, 0) / sizes.fall_days))


def localisation_response(
    market: Simulation, settings: LocalisationSettings, rows: IntArray, clock: Clock
) -> FloatArray:
    """Return the log factor of language, imagery and packaging, (rows, days): 0 if all are met."""
    sizes = market.localisation
    pulls = {
        "language": sizes.language_pull,
        "imagery": sizes.imagery_pull,
        "packaging": sizes.packaging_pull,
    }
    lost = np.zeros((rows.size, clock.total_days))
    for name, pull in pulls.items():
        lost -= pull * (1 - settings[name].path(rows, clock.total_days))
    return sizes.strength * lost


def base_log_rate(market: Simulation, candidates: Candidates, rows: IntArray) -> FloatArray:
    """Return each row's usual log order lines a day, by market, category, appeal and quality."""
    sizes = market.demand
    category = np.array([leaf.volume for leaf in market.categories])[candidates.category[rows]]
    place = np.array([place.volume for place in market.market_places])[candidates.place[rows]]
    own = candidates.appeal[rows] + candidates.taste[rows]
    by_quality = sizes.quality_pull * candidates.quality[rows]
    return np.asarray(np.log(sizes.lines_a_day) + category + place + own + by_quality)


def lateness_effect(
    market: Simulation, logistics: Logistics, candidates: Candidates, rows: IntArray
) -> FloatArray:
    """Return the loss of log demand to late parcels of the past weeks, shape (rows, days)."""
    lane = logistics.lane(candidates.place[rows], candidates.mode[rows])
    return np.asarray(-market.logistics.late_damping * logistics.late_lately[lane])


def mean_units(market: Simulation) -> float:
    """Return the mean units of an order line, which are logarithmic."""
    theta = market.demand.units_theta
    return float(-theta / ((1 - theta) * np.log1p(-theta))) if theta > 0 else 1.0
