"""Model the demand behind a share, so that one model answers for lots of any size.

Trees that see the lot learn what past lots sold, and repeat the largest one for ever. So the trees
of sell-through see no lot. They learn the demand d: the units that buyers want within the horizon,
whatever the lot. Demand varies around d as a Burr XII distribution (Burr 1942, "Cumulative
frequency functions"): with orders of b units at a time, the probability of at least t units is

    P(D >= t) = (1 + ((t + b - 1) / d)^a)^(-1 - 1/a)

The sharpness a says how close demand stays to d. With single units, d is the mean, and the expected
share of a lot of q units that sells has the closed form used here for all orders:

    E[min(D, q)] / q = (1 + ((q + b - 1) / d)^a)^(-1/a)

A lot of less than an order sells no better than a lot of one order, because buyers who want a
dozen don't buy three; with a = 1 the share is logistic in the logarithm of the lot.

Whatever the numbers, the share never rises with the lot and goes to 0, the units sold never fall
with the lot and never exceed d, and the ends of an interval move with the lot as they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray

MIN_TAIL: Final = 1e-6
"""Quantiles are computed no further out: beyond, everything is possible."""


def log_lot(lot: FloatArray, order_size: FloatArray) -> FloatArray:
    """Return the logarithm of lots in units, widened by the units that an order takes at a time."""
    return np.asarray(np.log(lot + np.fmax(order_size, 1.0) - 1.0), np.float64)


def share_of_margin(margin: FloatArray, sharpness: float) -> FloatArray:
    """Return the share for the logarithm of demand over the widened lot."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -sharpness * margin) / sharpness), np.float64)


@dataclass(frozen=True)
class LotDemand:
    """The demand for some rows, and the lot that each of them puts on sale.

    Arrays have shape (rows,), in units. An unknown order size counts as one unit.
    """

    demand: FloatArray
    lot: FloatArray
    order_size: FloatArray
    sharpness: float

    def select(self, rows: BoolArray | IntArray) -> LotDemand:
        """Return the rows of a mask or of positions."""
        return LotDemand(self.demand[rows], self.lot[rows], self.order_size[rows], self.sharpness)

    def share(self) -> FloatArray:
        """Return the expected share of each lot that sells."""
        margin = np.log(self.demand) - log_lot(self.lot, self.order_size)
        return share_of_margin(margin, self.sharpness)

    def prob_at_least(self, units: FloatArray) -> FloatArray:
        """Return the probability that at least so many units are wanted."""
        wanted = np.maximum(units, 1.0)
        margin = np.log(self.demand) - log_lot(wanted, self.order_size)
        tail = share_of_margin(margin, self.sharpness) ** (1.0 + self.sharpness)
        return np.where(units <= 0, 1.0, tail)

    def tail(self, sold: FloatArray) -> FloatArray:
        """Return how far out the units sold are: the smaller of the two tail probabilities.

        Where the whole lot was sold, demand may have been any larger, so only the upper tail
        counts.
        """
        upper = self.prob_at_least(sold)
        lower = np.where(sold >= self.lot, 1.0, 1.0 - self.prob_at_least(sold + 1.0))
        return np.minimum(upper, lower)

    def interval(
        self, tail: FloatArray, level_spread: FloatArray | float = 0.0
    ) -> tuple[FloatArray, FloatArray]:
        """Return the shares between which all units sold have at least this tail; (rows,) each.

        `level_spread` is how far the level of demand may move either way, as a logarithm. The ends
        are the least and the most whole units, cut off at the lot, and enclose the expected share.
        """
        lower, upper = np.exp(-level_spread), np.exp(level_spread)
        least = np.ceil(self._reached(1.0 - tail, lower) - 1.0)
        most = np.floor(self._reached(tail, upper))
        share = self.share()
        low = np.clip(least / self.lot, 0.0, 1.0)
        high = np.clip(most / self.lot, 0.0, 1.0)
        return np.minimum(low, share), np.maximum(high, share)

    def _reached(self, probability: FloatArray, factor: FloatArray | float) -> FloatArray:
        """Return the most units that are wanted with at least this probability."""
        a = self.sharpness
        inner = np.clip(probability, MIN_TAIL, 1.0) ** (-a / (1.0 + a)) - 1.0
        units = self.demand * factor * inner ** (1.0 / a)
        reached = units - (np.fmax(self.order_size, 1.0) - 1.0)
        return np.where(probability < MIN_TAIL, np.inf, np.maximum(reached, 0.0))
