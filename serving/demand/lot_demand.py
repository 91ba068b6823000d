"""Model the demand behind a share, so that one model answers for lots of any size.

Trees that see the lot learn what past lots sold, and repeat the largest one for ever. So the trees
of sell-through see no lot. They learn the demand d: the units that buyers want within the horizon,
whatever the lot. If buyers order b units at a time, a lot of q units is expected to sell the share

    s(q) = c (1 + ((q + b - 1) / d)^a)^(-1/a)

The chance c is the probability that anything is wanted at all, whatever the lot: in some shops most
listings sell nothing for weeks. The sharpness a says how close demand stays to d where something
is. With a = 1, s / c is logistic in the logarithm of the lot; with single units and a large a it is
min(d / q, 1). Units that are ordered a dozen at a time count as a larger lot: three of them sell
less well than three of what is bought one by one.

The units that a lot sells, q s(q), never fall with q, never exceed c d, and grow ever more slowly.
So one more unit adds the probability that it is wanted, and

    P(D >= t) = t s(t) - (t - 1) s(t - 1)

is the distribution of the units wanted whose E[min(D, q)] / q is s(q). With single units that is
nearly a Burr XII distribution (Burr 1942, "Cumulative frequency functions"). How it was chosen:
docs/decisions/demand-under-the-share.md.

Whatever the numbers, the share never rises with the lot and goes to 0, the units sold never fall
with the lot, and the ends of an interval move with the lot as they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray

MIN_TAIL: Final = 1e-6
"""Quantiles are computed no further out: beyond, everything is possible."""
MAX_HALVINGS: Final = 64
"""More than any lot needs whose units a float can count one by one."""
TAIL_SLACK: Final = 1e-9
"""A relative error of tails that rounding may cause; intervals are wider by it."""


def log_lot(lot: FloatArray, order_size: FloatArray) -> FloatArray:
    """Return the logarithm of lots in units, widened by the units that an order takes at a time."""
    return np.asarray(np.log(lot + np.fmax(order_size, 1.0) - 1.0), np.float64)


def share_of_margin(margin: FloatArray, sharpness: float) -> FloatArray:
    """Return the share for the logarithm of demand over the widened lot."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -sharpness * margin) / sharpness), np.float64)


@dataclass(frozen=True)
class LotDemand:
    """The demand for some rows, and the lot that each of them puts on sale.

    Arrays have shape (rows,), in units but for `chance`. An unknown order size counts as one unit.
    """

    demand: FloatArray
    lot: FloatArray
    order_size: FloatArray
    sharpness: float
    chance: FloatArray | float = 1.0
    """The probability that anything is wanted at all, above 0."""

    def drift(self, by: FloatArray) -> LotDemand:
        """Return the demand of a better or worse time, of shape (rows,); 0 is as it is now.

        The logarithm of demand and the log odds of the chance drift by as much.
        """
        times = np.exp(by)
        chance = self.chance * times / (1.0 - self.chance + self.chance * times)
        return LotDemand(self.demand * times, self.lot, self.order_size, self.sharpness, chance)

    def share(self) -> FloatArray:
        """Return the expected share of each lot that sells."""
        margin = np.log(self.demand) - log_lot(self.lot, self.order_size)
        return self.chance * share_of_margin(margin, self.sharpness)

    def prob_at_least(self, units: FloatArray) -> FloatArray:
        """Return the probability that at least `units` whole units are wanted.

        For a chance of 1 it is s(t) - (t - 1) (s(t - 1) - s(t)), where s(t - 1) / s(t) is computed
        without a difference of nearly equal numbers.
        """
        wanted = np.maximum(units, 1.0)
        widened = wanted + np.fmax(self.order_size, 1.0) - 1.0
        bent = self.sharpness * (np.log(widened) - np.log(self.demand))
        slope = np.exp(-np.logaddexp(0.0, -bent))
        step = -self.sharpness * np.log1p(1.0 / np.maximum(widened - 1.0, 1.0))
        ratio = np.expm1(-np.log1p(slope * np.expm1(step)) / self.sharpness)
        tail = np.exp(-np.logaddexp(0.0, bent) / self.sharpness) * (1.0 - (wanted - 1.0) * ratio)
        return np.where(units <= 0, 1.0, self.chance * np.maximum(tail, 0.0))

    def tail(self, sold: FloatArray) -> FloatArray:
        """Return how far out the units sold are: the smaller of the two tail probabilities.

        Where the whole lot was sold, demand may have been any larger, so only the upper tail
        counts.
        """
        upper = self.prob_at_least(sold)
        lower = np.where(sold >= self.lot, 1.0, 1.0 - self.prob_at_least(sold + 1.0))
        return np.minimum(upper, lower)

    def interval(self, tail: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the shares between which all units sold have at least this tail; (rows,) each.

        The ends are whole units of the lot, or the expected share where that lies beyond.
        """
        wider = tail * (1.0 - TAIL_SLACK)
        is_far = wider < MIN_TAIL
        low, high = self._most_wanted(np.stack((1.0 - wider, wider)))
        least, most = np.where(is_far, 0.0, low), np.where(is_far, self.lot, high)
        share = self.share()
        return np.minimum(least / self.lot, share), np.maximum(most / self.lot, share)

    def _most_wanted(self, probability: FloatArray) -> FloatArray:
        """Return the most units of each lot that are wanted with at least this probability.

        `probability` and the result have the shape (any, rows).
        """
        wanted = np.zeros_like(probability)
        too_many = wanted + np.floor(self.lot) + 1.0
        for _ in range(MAX_HALVINGS):
            if (too_many - wanted <= 1.0).all():
                break
            middle = np.floor((wanted + too_many) / 2.0)
            is_wanted = self.prob_at_least(middle) >= probability
            wanted = np.where(is_wanted, middle, wanted)
            too_many = np.where(is_wanted, too_many, middle)
        return wanted
