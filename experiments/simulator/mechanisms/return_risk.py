"""Return risk: the chance that a unit comes back, by quality, localisation and lateness."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import gammainc

from experiments.simulator.configuration.arrays import logistic
from experiments.simulator.configuration.clock import Clock
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.candidates import Candidates
from experiments.simulator.mechanisms.localisation import LocalisationSettings
from features.runtime.arrays import FloatArray, IntArray

DELAY_SHAPE: Final = 2.0
"""Shape of the gamma delay between delivery and return."""
MAX_RATE: Final = 0.9
RETURN_ATTRIBUTES: Final = ("size_chart", "plug_voltage", "language")
"""Attributes whose gaps make buyers return."""


def draw_own_risk(market: Simulation, count: int, chunk: int) -> FloatArray:
    """Draw each candidate's own part of the log odds of a return, which has no modelled reason."""
    rng = generator(market.seed, "own risk", chunk)
    return market.returns.listing_sd * rng.standard_normal(count)


def localisation_gaps(
    settings: LocalisationSettings, rows: IntArray, clock: Clock
) -> dict[str, FloatArray]:
    """Return the gaps that make buyers return on each day, 0 to 1, shape (rows, days)."""
    return {name: 1 - settings[name].path(rows, clock.total_days) for name in RETURN_ATTRIBUTES}


def return_rate(
    market: Simulation,
    candidates: Candidates,
    rows: IntArray,
    *,
    missing: dict[str, FloatArray],
    own: FloatArray,
) -> FloatArray:
    """Return the chance that a unit in time comes back, shape (rows, days of ordering)."""
    usual = usual_log_odds(market, candidates.category[rows])
    odds = usual - market.returns.quality_slope * candidates.quality[rows]
    return logistic((odds + own)[:, None] + localisation_effect(market, missing))


def usual_log_odds(market: Simulation, category: IntArray) -> FloatArray:
    """Return the log odds of a return by category, at mean quality and without gaps."""
    usual = np.array([leaf.return_rate for leaf in market.categories])[category]
    return np.asarray(np.log(usual / (1 - usual)), np.float64)


def localisation_effect(market: Simulation, missing: dict[str, FloatArray]) -> FloatArray:
    """Return the log odds of a return that gaps add, in the shape of the gaps."""
    sizes = market.localisation
    return sizes.strength * (
        sizes.size_chart_returns * missing["size_chart"]
        + sizes.plug_returns * missing["plug_voltage"]
        + sizes.language_returns * missing["language"]
    )


def add_lateness(market: Simulation, rate: FloatArray, late_share: FloatArray) -> FloatArray:
    """Return the return rate of units of which a share is late."""
    late = np.minimum(rate * market.logistics.late_return_lift, MAX_RATE)
    return np.asarray(rate + (late - rate) * late_share, np.float64)


def share_in_window(market: Simulation, window_days: int) -> float:
    """Return the share of returns that come within a window of days after delivery."""
    scale = market.returns.delay_days / DELAY_SHAPE
    return float(gammainc(DELAY_SHAPE, window_days / scale))
