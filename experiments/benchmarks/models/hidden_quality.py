"""What evidence says of hidden quality: a Gaussian tree of suppliers, products and listings.

A supplier's quality is standard normal, a product's leans on it, and a listing's log odds of a
return beyond the open ones are `-slope * quality + own`. Given Gaussian evidence the posterior is
exact after one pass from the listings to the suppliers and one back (Pearl, "Probabilistic
Reasoning in Intelligent Systems", 1988, chapter 7). Counts aren't Gaussian: each is replaced by
the parabola that touches its log likelihood at the posterior mean, found anew until it stays
(Laplace's method; Rue, Martino and Chopin, "Approximate Bayesian inference for latent Gaussian
models", JRSS B 2009, section 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.simulator.configuration.arrays import logistic
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms.candidates import BY_ITSELF, BY_SUPPLIER
from experiments.simulator.mechanisms.suppliers import DEFECT_SLOPE
from experiments.simulator.outcomes.reviews import star_shares
from features.runtime.arrays import FloatArray, IntArray

ROUNDS: Final = 10
"""Of Newton's method from quality 0 on: near the end each doubles the digits."""
STEP: Final = 1e-4
"""Of numeric slopes in quality."""


def sum_by_group(values: FloatArray, place: IntArray, places: int) -> FloatArray:
    """Return the sums of values over those who belong to each place (places,)."""
    return np.bincount(place, values, places).astype(np.float64)


@dataclass(frozen=True)
class SupplyTree:
    """Who belongs to whom: product of each listing, supplier of each product, by place."""

    product: IntArray
    supplier: IntArray
    suppliers: int


@dataclass(frozen=True)
class QualityEvidence:
    """What was seen by a moment.

    Returns are counted by cells of a listing with equal open log odds: `trials` units of which it
    would be known had they come back, `returned` of them. `stars` counts reviews (5, products).
    Audits (suppliers,) saw quality with `audit_precision`, in sum `audit_information`.
    """

    listing: IntArray
    log_odds: FloatArray
    trials: FloatArray
    returned: FloatArray
    stars: FloatArray
    audit_precision: FloatArray
    audit_information: FloatArray
    inspected: FloatArray
    defective: FloatArray


@dataclass(frozen=True)
class Gaussian:
    """Means and variances."""

    mean: FloatArray
    variance: FloatArray

    def at(self, places: IntArray) -> Gaussian:
        """Return those at some places."""
        return Gaussian(self.mean[places], self.variance[places])


@dataclass(frozen=True)
class Parabola:
    """A log likelihood's parabola: precision, and precision times the place of its top."""

    precision: FloatArray
    information: FloatArray

    def add_up(self, place: IntArray, places: int) -> Parabola:
        """Return the sums over those who belong to each place."""
        return Parabola(
            sum_by_group(self.precision, place, places),
            sum_by_group(self.information, place, places),
        )

    def __add__(self, other: Parabola) -> Parabola:
        """Return what both say together."""
        return Parabola(self.precision + other.precision, self.information + other.information)

    def add_noise(self, slope: float, variance: float) -> Parabola:
        """Return what is said of x where this speaks of `slope * x` plus noise."""
        heard = 1 + variance * self.precision
        return Parabola(slope**2 * self.precision / heard, slope * self.information / heard)

    def below(self, above: Gaussian, slope: float, variance: float) -> Gaussian:
        """Return the posterior of `slope * x` plus noise, where `above` is that of x."""
        heard = 1 + variance * self.precision
        return Gaussian(
            (slope * above.mean + variance * self.information) / heard,
            variance / heard + (slope / heard) ** 2 * above.variance,
        )


def posterior(market: Simulation, tree: SupplyTree, evidence: QualityEvidence) -> Gaussian:
    """Return what is known of each listing's log odds beyond the open ones (listings,)."""
    slope, own = -market.returns.quality_slope, market.returns.listing_sd**2
    products = tree.supplier.size
    supplier = np.zeros(tree.suppliers)
    product, listing = np.zeros(products), np.zeros(tree.product.size)
    for _ in range(ROUNDS):
        by_returns = _returns_likelihood(evidence, listing)
        of_listings = by_returns.add_noise(slope, own).add_up(tree.product, products)
        by_product = of_listings + _reviews_likelihood(market, evidence, product)
        of_products = by_product.add_noise(BY_SUPPLIER, BY_ITSELF**2)
        by_supplier = of_products.add_up(tree.supplier, tree.suppliers)
        by_supplier += _audits_likelihood(market, evidence, supplier)
        variance = 1 / (1 + by_supplier.precision)
        of_supplier = Gaussian(by_supplier.information * variance, variance)
        supplier = of_supplier.mean
        of_product = by_product.below(of_supplier.at(tree.supplier), BY_SUPPLIER, BY_ITSELF**2)
        product = of_product.mean
        of_listing = by_returns.below(of_product.at(tree.product), slope, own)
        listing = of_listing.mean
    return of_listing


def posterior_given_quality(
    market: Simulation, quality: FloatArray, evidence: QualityEvidence
) -> Gaussian:
    """Return the same for one who knows each listing's quality: only what is its own is hidden."""
    slope, own = -market.returns.quality_slope, market.returns.listing_sd**2
    known = Gaussian(quality, np.zeros(quality.size))
    found = Gaussian(slope * quality, np.full(quality.size, own))
    for _ in range(ROUNDS):
        found = _returns_likelihood(evidence, found.mean).below(known, slope, own)
    return found


def _returns_likelihood(evidence: QualityEvidence, listing: FloatArray) -> Parabola:
    rate = logistic(evidence.log_odds + listing[evidence.listing])
    bent = evidence.trials * rate * (1 - rate)
    steep = evidence.returned - evidence.trials * rate
    at = listing[evidence.listing]
    return Parabola(bent, bent * at + steep).add_up(evidence.listing, listing.size)


def _reviews_likelihood(
    market: Simulation, evidence: QualityEvidence, product: FloatArray
) -> Parabola:
    """Say what the stars tell; as many parcels count as late as carriers promise at most."""
    late = 1 - market.logistics.promise_quantile
    at, above, below = (star_shares(market, product + step, late) for step in (0, STEP, -STEP))
    slope = (np.log(above) - np.log(below)) / (2 * STEP)
    bent = evidence.stars.sum(axis=0) * (at * slope**2).sum(axis=0)
    return Parabola(bent, bent * product + (evidence.stars * slope).sum(axis=0))


def _audits_likelihood(
    market: Simulation, evidence: QualityEvidence, supplier: FloatArray
) -> Parabola:
    usual = market.suppliers.defect_rate
    rate = logistic(np.log(usual / (1 - usual)) - DEFECT_SLOPE * supplier)
    bent = DEFECT_SLOPE**2 * evidence.inspected * rate * (1 - rate)
    steep = -DEFECT_SLOPE * (evidence.defective - evidence.inspected * rate)
    return Parabola(
        evidence.audit_precision + bent, evidence.audit_information + bent * supplier + steep
    )
