"""Infer hidden quality from evidence: a Gaussian tree of suppliers, products and listings.

A supplier's quality is standard normal, and a product's depends on it. A listing's log odds of a
return are the visible ones plus `-slope * quality + own`. With Gaussian evidence the posterior is
exact after one pass from the listings to the suppliers and one back (Pearl, "Probabilistic
Reasoning in Intelligent Systems", 1988, chapter 7). Counts aren't Gaussian: each likelihood is
replaced by the parabola that touches its logarithm at the posterior mean, and the passes are
repeated until the mean stays (Laplace's method; Rue, Martino and Chopin, "Approximate Bayesian
inference for latent Gaussian models", JRSS B 2009, section 2.2).
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
"""Rounds of Newton's method, which starts at quality 0 and converges quadratically."""
STEP: Final = 1e-4
"""Step in quality for numeric slopes."""


def sum_by_group(values: FloatArray, group: IntArray, groups: int) -> FloatArray:
    """Return the sum of the values of each group, shape (groups,)."""
    return np.bincount(group, values, groups).astype(np.float64)


@dataclass(frozen=True)
class SupplyTree:
    """The index of each listing's product and of each product's supplier."""

    product: IntArray
    supplier: IntArray
    suppliers: int


@dataclass(frozen=True)
class QualityEvidence:
    """The evidence known by a moment.

    Returns are counted by cells, each of a listing and of equal visible log odds: of `trials`
    units a return would be known by then, and `returned` of them came back. `stars` counts
    reviews, shape (5, products). Audits have shape (suppliers,): they observe quality with
    `audit_precision`, and `audit_information` is precision times the observed quality.
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
    """Means and variances of independent normal variables."""

    mean: FloatArray
    variance: FloatArray

    def select(self, rows: IntArray) -> Gaussian:
        """Return the variables at some indices."""
        return Gaussian(self.mean[rows], self.variance[rows])


@dataclass(frozen=True)
class Parabola:
    """A quadratic log likelihood: its precision, and precision times the point of its maximum."""

    precision: FloatArray
    information: FloatArray

    def sum_by_group(self, group: IntArray, groups: int) -> Parabola:
        """Return the sum of the log likelihoods of each group."""
        return Parabola(
            sum_by_group(self.precision, group, groups),
            sum_by_group(self.information, group, groups),
        )

    def __add__(self, other: Parabola) -> Parabola:
        """Return the sum of two log likelihoods of the same variables."""
        return Parabola(self.precision + other.precision, self.information + other.information)

    def add_noise(self, slope: float, variance: float) -> Parabola:
        """Return the log likelihood of x, given this one of `slope * x` plus noise."""
        damping = 1 + variance * self.precision
        return Parabola(slope**2 * self.precision / damping, slope * self.information / damping)

    def update_child(self, parent: Gaussian, slope: float, variance: float) -> Gaussian:
        """Return the posterior of `slope * x` plus noise, given the posterior `parent` of x."""
        damping = 1 + variance * self.precision
        return Gaussian(
            (slope * parent.mean + variance * self.information) / damping,
            variance / damping + (slope / damping) ** 2 * parent.variance,
        )


def posterior(market: Simulation, tree: SupplyTree, evidence: QualityEvidence) -> Gaussian:
    """Return the posterior of each listing's hidden log odds, shape (listings,)."""
    slope, own = -market.returns.quality_slope, market.returns.listing_sd**2
    products = tree.supplier.size
    supplier = np.zeros(tree.suppliers)
    product, listing = np.zeros(products), np.zeros(tree.product.size)
    for _ in range(ROUNDS):
        by_returns = _returns_likelihood(evidence, listing)
        of_listings = by_returns.add_noise(slope, own).sum_by_group(tree.product, products)
        by_product = of_listings + _reviews_likelihood(market, evidence, product)
        of_products = by_product.add_noise(BY_SUPPLIER, BY_ITSELF**2)
        by_supplier = of_products.sum_by_group(tree.supplier, tree.suppliers)
        by_supplier += _audits_likelihood(market, evidence, supplier)
        variance = 1 / (1 + by_supplier.precision)
        of_supplier = Gaussian(by_supplier.information * variance, variance)
        supplier = of_supplier.mean
        of_product = by_product.update_child(
            of_supplier.select(tree.supplier), BY_SUPPLIER, BY_ITSELF**2
        )
        product = of_product.mean
        of_listing = by_returns.update_child(of_product.select(tree.product), slope, own)
        listing = of_listing.mean
    return of_listing


def posterior_given_quality(
    market: Simulation, quality: FloatArray, evidence: QualityEvidence
) -> Gaussian:
    """Return the posterior of hidden log odds for a forecaster who sees each listing's quality."""
    slope, own = -market.returns.quality_slope, market.returns.listing_sd**2
    known = Gaussian(quality, np.zeros(quality.size))
    hidden = Gaussian(slope * quality, np.full(quality.size, own))
    for _ in range(ROUNDS):
        hidden = _returns_likelihood(evidence, hidden.mean).update_child(known, slope, own)
    return hidden


def _returns_likelihood(evidence: QualityEvidence, listing: FloatArray) -> Parabola:
    rate = logistic(evidence.log_odds + listing[evidence.listing])
    curvature = evidence.trials * rate * (1 - rate)
    slope = evidence.returned - evidence.trials * rate
    current = listing[evidence.listing]
    by_cell = Parabola(curvature, curvature * current + slope)
    return by_cell.sum_by_group(evidence.listing, listing.size)


def _reviews_likelihood(
    market: Simulation, evidence: QualityEvidence, product: FloatArray
) -> Parabola:
    """Return the log likelihood of the stars, with the largest late share that carriers promise."""
    late = 1 - market.logistics.promise_quantile
    share, above, below = (star_shares(market, product + step, late) for step in (0, STEP, -STEP))
    slope = (np.log(above) - np.log(below)) / (2 * STEP)
    curvature = evidence.stars.sum(axis=0) * (share * slope**2).sum(axis=0)
    return Parabola(curvature, curvature * product + (evidence.stars * slope).sum(axis=0))


def _audits_likelihood(
    market: Simulation, evidence: QualityEvidence, supplier: FloatArray
) -> Parabola:
    usual = market.suppliers.defect_rate
    rate = logistic(np.log(usual / (1 - usual)) - DEFECT_SLOPE * supplier)
    curvature = DEFECT_SLOPE**2 * evidence.inspected * rate * (1 - rate)
    slope = -DEFECT_SLOPE * (evidence.defective - evidence.inspected * rate)
    return Parabola(
        evidence.audit_precision + curvature,
        evidence.audit_information + curvature * supplier + slope,
    )
