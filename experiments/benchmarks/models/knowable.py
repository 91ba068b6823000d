"""Forecast return risk as well as the evidence allows: an ideal forecaster.

The truth knows each product's quality and each listing's own log odds of a return. A forecaster
sees only their effects before `as_of`. The ideal forecaster knows how the market works and the
size of every effect, and returns the posterior mean of the expected return rate:

    log odds = usual(category) + gaps - slope * quality + own,    own ~ N(0, listing_sd ** 2)
    quality  = 0.8 * supplier's + 0.6 * N(0, 1),                  supplier's ~ N(0, 1)

The evidence is the returns of all listings so far (of the product in other markets and of the
supplier's other products too), reviews and audits. No forecast from the same evidence has a
smaller expected loss: the posterior mean is the Bayes rule of the log loss, which is a proper
score (Gneiting and Raftery, "Strictly proper scoring rules", JASA 2007). hidden_quality.py
computes the posterior.

Where the posterior isn't exact, the ideal forecaster sees more than the evidence: later repairs,
the share of late parcels, and how demand spreads over the horizon. Of candidates, whose history
is hidden from the model, it sees the localisation and the evidence on their product. It ignores
repurchases, policy cases, reasons, costs and the platform's choices, which depend on quality too:
the forecaster who sees each quality, `given_quality`, bounds what these could add.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from experiments.benchmarks.models.hidden_quality import (
    Gaussian,
    posterior,
    posterior_given_quality,
)
from experiments.benchmarks.models.observed_history import ObservedHistory
from experiments.benchmarks.models.open_listings import ListingHorizons, Names, describe_market
from experiments.simulator.configuration.arrays import logistic
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms.plan import World, build_world
from experiments.simulator.mechanisms.return_risk import add_lateness, share_in_window
from features.runtime.arrays import BoolArray, FloatArray, IntArray

NODES: Final = 7
"""Nodes of the Gauss-Hermite rule over a listing's hidden log odds."""
MIN_UNITS: Final = 1e-9


@dataclass(frozen=True)
class KnowableRates:
    """Expected return rates of rows, shape (rows,)."""

    by_evidence: FloatArray
    """Of the ideal forecaster."""
    given_quality: FloatArray
    """Of the ideal forecaster who also sees every product's quality."""

    def select(self, mask: BoolArray) -> KnowableRates:
        """Return the rates of some rows."""
        return KnowableRates(self.by_evidence[mask], self.given_quality[mask])


def knowable_rates(
    market: Simulation, data: Path, listing: Names, as_of_day: IntArray
) -> KnowableRates:
    """Return the ideal forecasts of listings at moments, both of shape (rows,).

    `data` holds the tables of the market; `as_of_day` counts from 1970.
    """
    world = build_world(market)
    day = as_of_day - world.clock.first_day
    described = describe_market(world, listing, day)
    history = ObservedHistory.read(data, world, described.listings)
    indices = described.listings.find_indices(listing)
    rates = KnowableRates(np.empty(day.size), np.empty(day.size))
    for moment in np.unique(day).tolist():
        rows = np.flatnonzero(day == moment)
        evidence = history.collect_evidence(moment)
        horizons, row_listings = described.horizons.select(rows), indices[rows]
        hidden = posterior(market, history.tree, evidence)
        given_quality = posterior_given_quality(market, described.hidden.quality, evidence)
        rates.by_evidence[rows] = integrate_rate(world, horizons, hidden.select(row_listings))
        rates.given_quality[rows] = integrate_rate(
            world, horizons, given_quality.select(row_listings)
        )
    return rates


def integrate_rate(world: World, horizons: ListingHorizons, hidden: Gaussian) -> FloatArray:
    """Return each row's mean return rate over its horizon and over its hidden log odds."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    deviation = np.sqrt(hidden.variance)
    rate = np.zeros(hidden.mean.size)
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        rate += weight * _return_rate(world, horizons, hidden.mean + node * deviation)
    return rate


def _return_rate(world: World, horizons: ListingHorizons, hidden: FloatArray) -> FloatArray:
    """Return the rate at given hidden log odds, as `Outlook.expect` computes it for the truth."""
    on_time = logistic(horizons.log_odds + hidden[:, None])
    coming_back = add_lateness(world.market, on_time, horizons.late_share)
    some = np.maximum(horizons.units.sum(axis=1), MIN_UNITS)
    in_time = share_in_window(world.market, world.horizons.return_window_days)
    return np.asarray((horizons.units * coming_back).sum(axis=1) / some * in_time, np.float64)
