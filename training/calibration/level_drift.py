"""Estimate how far the level of demand may move between a fit and the outcomes that it predicts.

All rows that follow an origin share its season: where the level is off, it is off for all of them.
So the residuals of a few origins show a few levels, however many rows they have. The level of an
origin is the move (serving/demand/lot_demand.py) that predicts its rows best. The level of the next
one is taken to be normal around their mean, with a variance that is learned from them, less what
chance among their listings explains, and from a weak prior. Its predictive distribution is
Student's (Gelman et al. 2013, "Bayesian data analysis", section 3.3).

Each calibration row then counts at several levels that are equally likely, and its residual is how
far out its outcome would have been had the level moved so. Where the history is shorter than a
year, the origins too predicted seasons that were never learned, so the levels show how far such
seasons move. What it is worth: docs/decisions/level-of-demand.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import t as student

from features.runtime.arrays import FloatArray, IntArray
from serving.demand.lot_demand import LotDemand
from training.data.sample import Sample
from training.metrics.metrics import row_log_loss

MAX_LEVEL: Final = 3.0
STEP: Final = 0.01
"""Distance of the levels that derivatives are computed from."""
MIN_BEND: Final = 1e-9
LEVELS: Final = 9
"""Levels that each calibration row counts at."""
PRIOR_ORIGINS: Final = 2.0
"""How many origins the prior weighs as much as."""
PRIOR_DEVIATION: Final = 0.1
"""Standard deviation of the level, as a share of demand, before any origin is seen."""


@dataclass(frozen=True)
class LevelDrift:
    """The levels of origins around their mean, and levels that the next one may have."""

    seen: FloatArray
    """Shape (origins,)."""
    possible: FloatArray
    """Shape (`LEVELS`,), from low to high, equally likely."""

    @classmethod
    def from_levels(cls, levels: FloatArray, errors: FloatArray) -> LevelDrift:
        """Learn how far the next level may be from those of the origins.

        `errors` are the standard errors of the levels; both have shape (origins,).
        """
        seen = levels - levels.mean()
        freedom = PRIOR_ORIGINS + levels.size - 1
        by_chance = (errors**2).mean() * (levels.size - 1)
        moved = max((seen**2).sum() - by_chance, 0.0)
        variance = (PRIOR_ORIGINS * PRIOR_DEVIATION**2 + moved) / freedom
        scale = np.sqrt(variance * (1 + 1 / levels.size))
        middle = (np.arange(LEVELS) + 0.5) / LEVELS
        return cls(seen, student.ppf(middle, freedom) * scale)

    def moves(self, origin: int) -> FloatArray:
        """Return the moves of demand under which an origin's outcomes count, shape (`LEVELS`,).

        Had the level been one of `possible`, the outcomes of the origin would have been farther out
        by the difference to the level that they had.
        """
        return np.asarray(self.seen[origin] - self.possible, np.float64)


def find_level(demand: LotDemand, sample: Sample, listings: IntArray) -> tuple[float, float]:
    """Return the move of demand that predicts a sample best, and its standard error.

    All arrays have shape (rows,). `listings` numbers the listing of each row: its rows share its
    luck, so that the error is one of listings (a sandwich estimate, Liang and Zeger 1986,
    "Longitudinal data analysis using generalized linear models").
    """

    def losses(level: float) -> FloatArray:
        share = demand.move(np.full(sample.label.shape, level)).share()
        return row_log_loss(sample.label, share) * sample.weight

    found = minimize_scalar(
        lambda level: losses(level).sum(), bounds=(-MAX_LEVEL, MAX_LEVEL), method="bounded"
    )
    level = float(found.x)
    below, at, above = (losses(level + step) for step in (-STEP, 0.0, STEP))
    slopes = np.bincount(np.unique(listings, return_inverse=True)[1], (above - below) / (2 * STEP))
    bend = (above - 2 * at + below).sum() / STEP**2
    return level, float(np.sqrt((slopes**2).sum()) / max(bend, MIN_BEND))


def learn_drift(origins: Sequence[tuple[LotDemand, Sample, IntArray]]) -> LevelDrift:
    """Return the drift over origins: of each its demand, its sample and the listings of rows."""
    levels, errors = zip(*(find_level(*origin) for origin in origins), strict=True)
    return LevelDrift.from_levels(np.array(levels), np.array(errors))
