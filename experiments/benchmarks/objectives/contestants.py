"""The contestants: ways to learn the share of a lot that sells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import lightgbm
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from experiments.benchmarks.objectives.censored_counts import CensoredCounts
from experiments.benchmarks.objectives.lots import LotRows, count_units
from features.runtime.arrays import FloatArray
from serving.demand.lot_demand import log_lot
from training.boosting.objectives import DemandObjective
from training.calibration.curves import fit_isotonic
from training.calibration.demand_curve_fit import fit_demand_curve, fit_start
from training.data.sample import Sample
from training.metrics.metrics import row_log_loss, weighted_mean

Estimator = Callable[[FloatArray, LotRows], FloatArray]
"""Returns the shares of lots, shape (rows,), for sums of trees."""
Objective = Callable[[FloatArray, lightgbm.Dataset], tuple[FloatArray, FloatArray]]
TWEEDIE_POWER: Final = 1.3


@dataclass(frozen=True)
class LearningTask:
    """What boosters minimise on some rows; arrays have shape (rows,)."""

    weight: FloatArray
    objective: str | Objective
    parameters: Mapping[str, Any] = field(default_factory=dict)
    offset: FloatArray | None = None


@dataclass(frozen=True)
class Contestant(ABC):
    """A way to learn shares; trees that see the lot also get demand and stock per unit of it."""

    name: str
    sees_lot: bool

    def start(self, _sample: Sample, _lots: LotRows) -> float:
        """Return the constant that the trees of all origins start from; 0 if LightGBM finds one."""
        return 0.0

    @abstractmethod
    def task(self, sample: Sample, lots: LotRows, *, start: float) -> LearningTask:
        """Return what boosters minimise on the rows of a sample."""

    @abstractmethod
    def calibrate(self, raw: FloatArray, sample: Sample, lots: LotRows) -> Estimator:
        """Learn how sums of trees become shares, from rows whose boosters hadn't learned them."""


@dataclass(frozen=True)
class DemandContestant(Contestant):
    """Demand without the lot, as in the product, with a sharpness."""

    sharpness: float

    def start(self, sample: Sample, lots: LotRows) -> float:
        """Return the logarithm of the one demand that suits the rows."""
        widened = log_lot(lots.lot, lots.order_size)
        return fit_start(widened, sample.label, sample.weight, self.sharpness)

    def task(self, sample: Sample, lots: LotRows, *, start: float) -> LearningTask:
        """Minimise the cross-entropy of the shares that demand is bent into."""
        widened = log_lot(lots.lot, lots.order_size)
        objective = "cross_entropy" if self.sharpness == 1 else DemandObjective(self.sharpness)
        return LearningTask(sample.weight, objective, offset=start - widened)

    def calibrate(self, raw: FloatArray, sample: Sample, lots: LotRows) -> Estimator:
        """Fit a line to the logarithm of demand."""
        curve = fit_demand_curve(
            raw,
            sample.label,
            sample.weight,
            lot=lots.lot,
            order_size=lots.order_size,
            sharpness=self.sharpness,
        )
        return lambda later, asked: curve.apply(
            later, asked.lot, asked.order_size, uplift=np.ones(later.size)
        ).share()


@dataclass(frozen=True)
class CountContestant(Contestant):
    """The mean of censored negative binomial counts, without the lot."""

    counts: CensoredCounts

    def start(self, sample: Sample, lots: LotRows) -> float:
        """Return the logarithm of the mean units."""
        return float(np.log(weighted_mean(count_units(sample, lots.lot), sample.weight)))

    def task(self, sample: Sample, lots: LotRows, *, start: float) -> LearningTask:
        """Minimise minus the log likelihood of the units sold."""
        lot, units = lots.lot, count_units(sample, lots.lot)

        def objective(
            log_mean: FloatArray, rows: lightgbm.Dataset
        ) -> tuple[FloatArray, FloatArray]:
            gradient, hessian = self.counts.derivatives(log_mean, units, lot)
            weight = rows.get_weight()  # None if all rows weigh the same
            factor = 1.0 if weight is None else np.asarray(weight)
            return gradient * factor, hessian * factor

        return LearningTask(sample.weight, objective, offset=np.full(units.size, start))

    def calibrate(self, raw: FloatArray, sample: Sample, lots: LotRows) -> Estimator:
        """Fit a line to the logarithm of the mean, by the log loss of shares."""

        def loss(line: FloatArray) -> float:
            share = self.counts.share(line[0] + line[1] * raw, lots.lot)
            return weighted_mean(row_log_loss(sample.label, share), sample.weight)

        shift, stretch = minimize(
            loss, np.array([self.start(sample, lots), 1.0]), method="Nelder-Mead"
        ).x
        return lambda later, asked: self.counts.share(shift + stretch * later, asked.lot)


@dataclass(frozen=True)
class ShareContestant(Contestant):
    """Shares of the lot that was offered, by cross-entropy, calibrated by isotonic regression."""

    def task(self, sample: Sample, lots: LotRows, *, start: float) -> LearningTask:  # noqa: ARG002 - LightGBM starts from the mean
        """Minimise the cross-entropy of shares."""
        return LearningTask(sample.weight, "cross_entropy")

    def calibrate(self, raw: FloatArray, sample: Sample, _: LotRows) -> Estimator:
        """Fit an isotonic curve to the boosters' shares."""
        curve = fit_isotonic(self.share(raw), sample.label, sample.weight)
        return lambda later, _: curve.apply(self.share(later))

    def share(self, raw: FloatArray) -> FloatArray:
        """Return shares before calibration."""
        return np.asarray(expit(raw), np.float64)


@dataclass(frozen=True)
class TweedieContestant(ShareContestant):
    """Units as Tweedie variables: shares with weights that make their deviance that of units."""

    def task(self, sample: Sample, lots: LotRows, *, start: float) -> LearningTask:  # noqa: ARG002 - LightGBM starts from the mean
        """Minimise the Tweedie deviance of units."""
        return LearningTask(
            sample.weight * lots.lot ** (2 - TWEEDIE_POWER),
            "tweedie",
            {"tweedie_variance_power": TWEEDIE_POWER},
        )

    def share(self, raw: FloatArray) -> FloatArray:
        """Return shares before calibration, 1 at most."""
        return np.asarray(np.minimum(np.exp(raw), 1.0), np.float64)


DEFAULT: Final = "demand, sharpness 1.5"
"""The contestant that the product trains by default."""
CONTESTANTS: Final[tuple[Contestant, ...]] = (
    *(
        DemandContestant(f"demand, sharpness {sharpness:g}", sees_lot=False, sharpness=sharpness)
        for sharpness in (1.0, 1.5, 2.5)
    ),
    ShareContestant("shares, cross-entropy", sees_lot=True),
    TweedieContestant("units, Tweedie", sees_lot=True),
    *(
        CountContestant(
            f"units, censored negative binomial, size {size:g}",
            sees_lot=False,
            counts=CensoredCounts(size),
        )
        for size in (1.0, 3.0)
    ),
)
NAMES: Final = tuple(contestant.name for contestant in CONTESTANTS)
