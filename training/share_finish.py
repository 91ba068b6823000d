"""Finish a model of shares on rows that it hasn't seen: calibration and residuals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from features.declarations import FloatArray
from serving.calibration import Knots
from serving.cells import LEVELS, BoolArray, OwnEvidence, cells_of
from serving.conformal import LEAST_CELL_LISTINGS, ConformalResiduals, learn_residuals
from serving.footing import Footing
from serving.spread import Spread
from training.calibration import fit_knots
from training.input_table import InputTable
from training.nested_rates import Variances

LEAST_SHAPING_ROWS: Final = 1000
"""With fewer rows in half of the slice isotonic steps cost more than they mend: with 834, R² on
new products of Complete Journey fell from 0.290 to 0.270, and log loss rose."""

NO_MARKET: Final = ""

_STRAIGHT: Final = Knots(np.array([0.0, 1.0]), np.array([0.0, 1.0]))


@dataclass(frozen=True)
class RawShares:
    """What a fitted model says of rows before it is finished; both of shape (rows,)."""

    share: FloatArray
    is_cold: BoolArray
    """Whether no row of the narrowest group was seen."""

    def take(self, rows: BoolArray) -> RawShares:
        """Return some rows."""
        return RawShares(self.share[rows], self.is_cold[rows])


class Forecaster(Protocol):
    """A fitted model of shares."""

    @property
    def variances(self) -> Variances:
        """Return how much rows differ, by chance and beyond it."""

    def predict(self, table: InputTable) -> RawShares:
        """Return the raw share of each row."""


@dataclass(frozen=True)
class ShareFinish:
    """What turns raw shares into estimates and intervals."""

    knots: Knots
    """The curve of calibration; straight where there were too few rows to learn one."""
    residuals: ConformalResiduals
    notes: tuple[str, ...]

    def estimate(self, raw: RawShares) -> FloatArray:
        """Return the calibrated shares, shape (rows,)."""
        return np.clip(self.knots.apply(raw.share), 0.0, 1.0)

    def interval(self, raw: RawShares, level: float) -> tuple[FloatArray, FloatArray]:
        """Return low and high around the estimates, shape (rows,) each."""
        return self.residuals.interval(self.estimate(raw), _footing(raw), level=level)


def learn_share_finish(
    raw: RawShares, share: FloatArray, worth: FloatArray, rng: np.random.Generator
) -> ShareFinish:
    """Learn calibration from one half of the slice held back, residuals from the other.

    `share` holds the labels and `worth` the independent trials that each is worth, of shape
    (rows,). Where half of the slice is too small to calibrate on, raw shares stay as they are and
    all of it is for residuals; a note says so. Those count each row once, whatever its worth.
    """
    if share.size < 2 * LEAST_SHAPING_ROWS:
        finish = _finish(_STRAIGHT, raw, share)
        return replace(finish, notes=(_left_out(share.size), *finish.notes))
    is_shaping = rng.permutation(share.size) % 2 == 0
    knots = fit_knots(raw.share[is_shaping], share[is_shaping], worth[is_shaping])
    return _finish(knots, raw.take(~is_shaping), share[~is_shaping])


def _left_out(rows: int) -> str:
    return (
        f"Estimates aren't calibrated: {rows:,} rows were held back; {2 * LEAST_SHAPING_ROWS:,} "
        "are needed, half of them for the curve and half for the intervals."
    )


def _finish(knots: Knots, raw: RawShares, share: FloatArray) -> ShareFinish:
    footing = _footing(raw)
    residuals = learn_residuals(
        knots.apply(raw.share),
        share,
        footing,
        spread=Spread.binomial(),
        listings=np.arange(share.size),  # nothing is known of rows that belong together
    )
    cold = int(raw.is_cold.sum())
    if not residuals.is_merged(footing)[raw.is_cold].any():
        return ShareFinish(knots, residuals, ())
    note = (
        f"Intervals of rows in unseen groups rest on all {share.size} rows held back: {cold} of "
        f"them are in unseen groups; {LEAST_CELL_LISTINGS} are needed to tell them apart."
    )
    return ShareFinish(knots, residuals, (note,))


def _footing(raw: RawShares) -> Footing:
    """Return cells by evidence alone: nothing is known here of markets or of lots."""
    places = {level: place for place, level in enumerate(LEVELS)}
    codes = np.where(raw.is_cold, places[OwnEvidence.NONE], places[OwnEvidence.MUCH])
    return Footing(codes, cells_of((NO_MARKET,)), np.ones(raw.share.size))
