"""What can be known of return risk: the loss of an ideal forecaster without the hidden draws.

The truth knows each product's quality and what each listing's log odds of a return have of their
own. A forecaster sees only what these did before `as_of`. The ideal one knows how the market
works and the size of every effect, and by Bayes' rule takes the mean of the expected return rate
over all that is still possible:

    log odds = usual(category) + gaps - slope * quality + own,    own ~ N(0, listing_sd ** 2)
    quality  = 0.8 * supplier's + 0.6 * N(0, 1),                  supplier's ~ N(0, 1)

given the returns of every listing so far (so those of the product in other markets and of the
supplier's other products), reviews and audits. No forecast from the same evidence has a smaller
expected loss: the posterior mean is the Bayes rule of the log loss, which is a proper score
(Gneiting and Raftery, "Strictly proper scoring rules", JASA 2007). How the posterior is found:
experiments/benchmarks/models/hidden_quality.py.

Where it isn't exact, the ideal is told more: what is to be repaired, how many parcels will be late
and how demand spreads over the horizon; and of candidates, whose history is hidden from the
model, their localisation and the evidence on their product. It doesn't read repurchases, policy
cases, reasons, costs and the platform's choices, which speak of quality too; the forecaster who
knows each quality, `given_quality`, bounds what these could add.
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
from experiments.benchmarks.models.open_listings import ListingHorizons, Names, describe_market
from experiments.benchmarks.models.sightings import ObservedHistory
from experiments.simulator.configuration.arrays import logistic
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms.plan import World, build_world
from experiments.simulator.mechanisms.return_risk import add_lateness, share_in_window
from features.runtime.arrays import BoolArray, FloatArray, IntArray

NODES: Final = 7
"""Of the Gauss-Hermite rule over what is still possible of a listing."""
MIN_UNITS: Final = 1e-9


@dataclass(frozen=True)
class KnowableRates:
    """Expected return rates of rows, shape (rows,)."""

    by_evidence: FloatArray
    """Of the ideal forecaster."""
    given_quality: FloatArray
    """Of one who is told every product's quality besides."""

    def select(self, mask: BoolArray) -> KnowableRates:
        """Return those of some rows."""
        return KnowableRates(self.by_evidence[mask], self.given_quality[mask])


def knowable_rates(
    market: Simulation, data: Path, listing: Names, as_of_day: IntArray
) -> KnowableRates:
    """Return what was to be expected at best of listings at moments, both of shape (rows,).

    `data` holds the tables of the market; `as_of_day` counts from 1970.
    """
    world = build_world(market)
    day = as_of_day - world.clock.first_day
    described = describe_market(world, listing, day)
    sightings = ObservedHistory.read(data, world, described.listings)
    place = described.listings.find_indices(listing)
    found = KnowableRates(np.empty(day.size), np.empty(day.size))
    for moment in np.unique(day).tolist():
        rows = np.flatnonzero(day == moment)
        evidence = sightings.collect_evidence(moment)
        horizons, places = described.horizons.at(rows), place[rows]
        known = posterior(market, sightings.tree, evidence)
        told = posterior_given_quality(market, described.hidden.quality, evidence)
        found.by_evidence[rows] = expected_rate(world, horizons, known.at(places))
        found.given_quality[rows] = expected_rate(world, horizons, told.at(places))
    return found


def expected_rate(world: World, horizons: ListingHorizons, known: Gaussian) -> FloatArray:
    """Return the mean return rate over the horizon and over what is possible of each row."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    deviation = np.sqrt(known.variance)
    rate = np.zeros(known.mean.size)
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        rate += weight * _return_rate(world, horizons, known.mean + node * deviation)
    return rate


def _return_rate(world: World, horizons: ListingHorizons, hidden: FloatArray) -> FloatArray:
    """Return the rate were the hidden log odds these, as `Outlook.expect` has it for the truth."""
    on_time = logistic(horizons.log_odds + hidden[:, None])
    coming_back = add_lateness(world.market, on_time, horizons.late_share)
    some = np.maximum(horizons.units.sum(axis=1), MIN_UNITS)
    in_time = share_in_window(world.market, world.horizons.return_window_days)
    return np.asarray((horizons.units * coming_back).sum(axis=1) / some * in_time, np.float64)
