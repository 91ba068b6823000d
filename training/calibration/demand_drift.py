"""Estimate how far demand as a whole may drift between a fit and the outcomes that it predicts.

All rows that follow an origin share its season: where demand is off, it is off for all of them. So
the residuals of a few origins show a few drifts, however many rows they have. The drift of an
origin is the one (serving/demand/lot_demand.py) that predicts its rows best, less what chance among
its listings explains. The next one is taken to be normal around their mean, with a variance that is
learned from them and from a weak prior. Its predictive distribution is Student's (Gelman et al.
2013, "Bayesian data analysis", section 3.3).

Each calibration row then counts at several drifts that are equally likely, and its residual is how
far out its outcome would have been had demand drifted so. Where the history is shorter than a year,
the origins too predicted seasons that were never learned, so they show how far such seasons drift.
What it is worth: docs/decisions/drift-of-demand.md.
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

MAX_DRIFT: Final = 3.0
MIN_DISTANCE: Final = 0.01
"""An origin whose best drift is nearer to the end of the search shows none: all or nothing sold."""
STEP: Final = 0.01
"""Distance of the drifts that derivatives are computed from."""
DRIFTS: Final = 9
"""Drifts that each calibration row counts at."""
PRIOR_ORIGINS: Final = 2.0
"""How many origins the prior weighs as much as."""
PRIOR_DEVIATION: Final = 0.05
"""Standard deviation of the drift of log demand, before any origin is seen."""


@dataclass(frozen=True)
class DemandDrift:
    """The drifts of origins around their mean, and those that the next one may have."""

    seen: FloatArray
    """Shape (origins,); 0 for an origin that shows none."""
    possible: FloatArray
    """Shape (`DRIFTS`,), from low to high, equally likely."""

    @classmethod
    def from_origins(cls, drifts: FloatArray, errors: FloatArray) -> DemandDrift:
        """Learn how far the next drift may be from those of the origins.

        `errors` are the standard errors of the drifts, infinite for an origin that shows none; both
        have shape (origins,). Each drift is shrunk by its own error (James and Stein 1961,
        "Estimation with quadratic loss", the positive part), and weighs less in the mean the larger
        its error is.
        """
        weight = 1 / (errors**2 + PRIOR_DEVIATION**2)
        mean = (weight * drifts).sum() / weight.sum() if weight.any() else 0.0
        distance = drifts - mean
        is_luck = np.abs(distance) <= errors
        distance[is_luck] = 0.0
        seen = distance - np.divide(
            errors**2, distance, out=np.zeros_like(distance), where=~is_luck
        )
        origins = max(int(np.isfinite(errors).sum()), 1)
        freedom = PRIOR_ORIGINS + origins - 1
        variance = (PRIOR_ORIGINS * PRIOR_DEVIATION**2 + (seen**2).sum()) / freedom
        scale = np.sqrt(variance * (1 + 1 / origins))
        middle = (np.arange(DRIFTS) + 0.5) / DRIFTS
        return cls(seen, student.ppf(middle, freedom) * scale)

    def differences(self, origin: int) -> FloatArray:
        """Return the drifts under which an origin's outcomes count, shape (`DRIFTS`,).

        Had demand drifted by one of `possible`, the outcomes of the origin would have been farther
        out by the difference to the drift that they had.
        """
        return np.asarray(self.seen[origin] - self.possible, np.float64)


def find_drift(demand: LotDemand, sample: Sample, listings: IntArray) -> tuple[float, float]:
    """Return the drift of demand that predicts a sample best, and its standard error.

    All arrays have shape (rows,). `listings` numbers the listing of each row: its rows share its
    luck, so that the error is one of listings (a sandwich estimate, Liang and Zeger 1986,
    "Longitudinal data analysis using generalized linear models"). A sample of which all or nothing
    was sold shows no drift: 0 with an infinite error.
    """

    def losses(drift: float) -> FloatArray:
        share = demand.drift(np.full(sample.label.shape, drift)).share()
        return row_log_loss(sample.label, share) * sample.weight

    result = minimize_scalar(
        lambda drift: losses(drift).sum(), bounds=(-MAX_DRIFT, MAX_DRIFT), method="bounded"
    )
    drift = float(result.x)
    below, at, above = (losses(drift + step) for step in (-STEP, 0.0, STEP))
    bend = float((above - 2 * at + below).sum()) / STEP**2
    if abs(drift) > MAX_DRIFT - MIN_DISTANCE or bend <= 0:
        return 0.0, np.inf
    slopes = np.bincount(np.unique(listings, return_inverse=True)[1], (above - below) / (2 * STEP))
    return drift, float(np.sqrt((slopes**2).sum())) / bend


def learn_drift(origins: Sequence[tuple[LotDemand, Sample, IntArray]]) -> DemandDrift:
    """Return the drift over origins: of each its demand, its sample and the listings of rows."""
    drifts, errors = zip(*(find_drift(*origin) for origin in origins), strict=True)
    return DemandDrift.from_origins(np.array(drifts), np.array(errors))
