"""Empirical-Bayes shrinkage of a rate along a chain of levels, from wide to narrow.

At each level the estimate is `(successes + strength * wider) / (trials + strength)`: the mean of
a beta prior with the wider estimate as its mean and `strength` pseudo-trials, after seeing the
level's own trials (Casella 1985, "An introduction to empirical Bayes data analysis"). A level
without trials passes the wider estimate on, which is what carries a cold start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.declarations.levels import Level
from features.runtime.arrays import FloatArray

CHAIN: Final = (
    Level.MARKET,
    Level.CATEGORY_MARKET,
    Level.SUPPLIER_CATEGORY,
    Level.PRODUCT,
    Level.LISTING,
)
"""From wide to narrow: whose evidence stands in where a listing has little of its own."""


@dataclass(frozen=True)
class Rate:
    """A share whose successes and trials are windowed sums at every level of the chain."""

    name: str
    successes: str
    trials: str
    days: int

    def column(self, measure: str, level: Level) -> str:
        """Return the name of the base feature that holds a measure at a level."""
        qualifier = "" if level is Level.LISTING else f"_{level.value}"
        return f"{measure}{qualifier}_{self.days}d"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return successes and trials in turn, from wide to narrow."""
        return tuple(
            self.column(measure, level)
            for level in CHAIN
            for measure in (self.successes, self.trials)
        )

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return the overall mean, then the strength of the prior of each level."""
        strengths = (f"{self.name}_strength_{level.value}" for level in CHAIN)
        return (f"{self.name}_mean", *strengths)


SELL_THROUGH_RATE: Final = Rate("sell_through_rate", "units_sold", "units_offered", 180)
RETURN_RATE: Final = Rate("return_rate", "units_returned", "units_ripe", 180)
REPURCHASE_RATE: Final = Rate("repurchase_rate", "buyers_repeated", "buyers_ripe", 180)
RATES: Final = (SELL_THROUGH_RATE, RETURN_RATE, REPURCHASE_RATE)


def is_strength(parameter: str) -> bool:
    """Tell whether a learned parameter is a number of pseudo-trials, which has to be above 0."""
    return "strength" in parameter


def pooled_rate(*values: FloatArray | float) -> FloatArray:
    """Shrink a rate from the widest level to the listing.

    Takes successes and trials of each level of `CHAIN` in turn (arrays of shape (rows,)), then the
    overall mean and one strength a level (floats, pseudo-trials > 0). Null counts give null.
    """
    counts, parameters = values[: 2 * len(CHAIN)], values[2 * len(CHAIN) :]
    estimate = np.full_like(counts[0], parameters[0])
    for successes, trials, strength in zip(counts[::2], counts[1::2], parameters[1:], strict=True):
        estimate = (successes + strength * estimate) / (trials + strength)
    return estimate


def own_weight(trials: FloatArray, strength: float) -> FloatArray:
    """Return the weight of the listing's own evidence in its pooled rate, 0 to 1."""
    return trials / (trials + strength)
