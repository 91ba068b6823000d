"""Estimates of some rows, with what is needed to put intervals around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from features.runtime.arrays import FloatArray
from serving.conformal.cells import IntervalContext
from serving.conformal.demand_tails import DemandTails
from serving.conformal.intervals import ConformalResiduals
from serving.demand.lot_demand import LotDemand


class Outlook(Protocol):
    """What a model expects of some rows."""

    @property
    def share(self) -> FloatArray:
        """Return the expected shares, shape (rows,), in [0, 1]."""

    def interval(
        self, context: IntervalContext, *, coverage: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high around each share; `coverage` is in (0, 1)."""

    def prob_at_least(self, context: IntervalContext, *, threshold: float) -> FloatArray:
        """Return the probability that the realised share is at least `threshold`, in (0, 1]."""


@dataclass(frozen=True)
class ShareOutlook:
    """Calibrated shares with the residuals of earlier ones."""

    share: FloatArray
    residuals: ConformalResiduals

    def interval(
        self, context: IntervalContext, *, coverage: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high around each share."""
        return self.residuals.interval(self.share, context, coverage=coverage)

    def prob_at_least(self, context: IntervalContext, *, threshold: float) -> FloatArray:
        """Return the probability that the realised share is at least `threshold`."""
        return self.residuals.prob_at_least(self.share, context, threshold=threshold)


@dataclass(frozen=True)
class DemandOutlook:
    """Demand for lots with the tails of earlier demand."""

    demand: LotDemand
    tails: DemandTails

    @cached_property
    def share(self) -> FloatArray:
        """Return the expected share of each lot."""
        return self.demand.share()

    def interval(
        self, context: IntervalContext, *, coverage: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high around each share."""
        return self.tails.interval(self.demand, context, coverage=coverage)

    def prob_at_least(self, _: IntervalContext, *, threshold: float) -> FloatArray:
        """Return the probability that the realised share is at least `threshold`."""
        lot = self.demand.lot
        units = np.ceil(threshold * lot)
        is_one_more = (units - 1.0) / lot >= threshold  # 0.07 * 100 is more than 7, 7 / 100 isn't
        return self.demand.prob_at_least(units - is_one_more)
