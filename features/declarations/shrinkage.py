"""Empirical-Bayes shrinkage of a rate along a chain of levels, from wide to narrow.

At each level the estimate is `(successes + strength * wider) / (trials + strength)`. It is the mean
of a beta posterior: the prior has the wider estimate as its mean and counts `strength`
pseudo-trials; the data are the level's own trials (Casella 1985, "An introduction to empirical
Bayes data analysis"). A level without trials keeps the wider estimate, which solves the cold
start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from features.declarations.levels import Level
from features.runtime.arrays import FloatArray

Number = FloatArray | float

CHAIN: Final = (
    Level.MARKET,
    Level.CATEGORY_MARKET,
    Level.SUPPLIER_CATEGORY,
    Level.PRODUCT,
    Level.LISTING,
)
"""Levels of evidence, from wide to narrow."""
COUNTS: Final = 2 * len(CHAIN)
"""Successes and trials of every level."""


@dataclass(frozen=True)
class Rate:
    """A share whose successes and trials are windowed sums at every level of `CHAIN`."""

    name: str
    successes: str
    trials: str
    days: int

    def column(self, measure: str, level: Level) -> str:
        """Return the name of the base feature with a measure at a level."""
        qualifier = "" if level is Level.LISTING else f"_{level.value}"
        return f"{measure}{qualifier}_{self.days}d"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the names of successes and trials in turn, from wide to narrow."""
        return tuple(
            self.column(measure, level)
            for level in CHAIN
            for measure in (self.successes, self.trials)
        )

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return the names of the overall mean and of each level's strength."""
        strengths = (f"{self.name}_strength_{level.value}" for level in CHAIN)
        return (f"{self.name}_mean", *strengths)


SELL_THROUGH_RATE: Final = Rate("sell_through_rate", "units_sold", "units_offered", 180)
RETURN_RATE: Final = Rate("return_rate", "units_returned", "units_ripe", 180)
REPURCHASE_RATE: Final = Rate("repurchase_rate", "buyers_repeated", "buyers_ripe", 180)
RATES: Final = (SELL_THROUGH_RATE, RETURN_RATE, REPURCHASE_RATE)


class RateCounts(NamedTuple):
    """Counts of a rate by level of `CHAIN`."""

    successes: Mapping[Level, Number]
    trials: Mapping[Level, Number]


def name_counts(values: Sequence[Number]) -> RateCounts:
    """Return the counts of `Rate.inputs` by level."""
    return RateCounts(
        successes=dict(zip(CHAIN, values[::2], strict=True)),
        trials=dict(zip(CHAIN, values[1::2], strict=True)),
    )


def is_strength(parameter: str) -> bool:
    """Return True for a learned number of pseudo-trials, which has to be above 0."""
    return "strength" in parameter


def pooled_rate(*values: Number) -> FloatArray:
    """Shrink a rate from the widest level to the listing.

    `values` holds a column for each of `Rate.inputs`, then a number for each of `Rate.parameters`;
    all broadcast together. Null counts give null.
    """
    counts, (mean, *strengths) = name_counts(values[:COUNTS]), values[COUNTS:]
    estimate = np.full_like(counts.trials[Level.LISTING], mean)
    for level, strength in zip(CHAIN, strengths, strict=True):
        estimate = shrink(counts.successes[level], counts.trials[level], estimate, strength)
    return estimate


def shrink(successes: Number, trials: Number, wider: FloatArray, strength: Number) -> FloatArray:
    """Return the estimate of a level from its own counts and the wider level's estimate."""
    return (successes + strength * wider) / (trials + strength)


def own_weight(trials: FloatArray, strength: float) -> FloatArray:
    """Return the weight, 0 to 1, of the listing's own trials in its pooled rate."""
    return trials / (trials + strength)
