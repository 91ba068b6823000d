"""Finish a model of shares on rows that it hasn't seen: calibration and residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.calibration_sample import Past, keep_past
from serving.conformal.cells import LEVELS, Footing, OwnEvidence, cells_of
from serving.conformal.difficulty import Spread
from serving.conformal.intervals import LEAST_CELL_LISTINGS, ConformalResiduals, learn_residuals
from serving.prediction.calibration import Knots
from serving.scoring.selection import LEAST_PAST_ROWS, Ask, Empty, Selection, choose
from training.calibration.curves import fit_knots
from training.calibration.difficulty import learn_spread
from training.encoding.input_table import InputTable
from training.estimator_errors import UnitsUnknownError
from training.shrinkage.variance_components import Variances

LEAST_SHAPING_GROUPS: Final = 50
"""With fewer groups held back in half of the slice, intervals of new groups were too narrow: 80 %
ones around a curve of 6 groups held 75 %, of 60 79 %, of 240 80 %."""
LEAST_SHAPING_ROWS: Final = 1000
"""With fewer rows in half of the slice isotonic steps cost more than they mend: with 834, R² on
new products of Complete Journey fell from 0.290 to 0.270, and log loss rose."""

NO_MARKET: Final = ""

_STRAIGHT: Final = Knots(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
_UNITS: Final[FloatArray] = np.geomspace(1, 1e6, 61)


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


@dataclass(frozen=True, kw_only=True)
class HeldBack:
    """Rows held back from a model, with what it says of them; all of shape (rows,)."""

    raw: RawShares
    share: FloatArray
    """The labels."""
    trials: FloatArray
    alike: IntArray
    """A number for each group of rows that may come out alike."""

    def take(self, rows: BoolArray) -> HeldBack:
        """Return some rows."""
        return HeldBack(
            raw=self.raw.take(rows),
            share=self.share[rows],
            trials=self.trials[rows],
            alike=self.alike[rows],
        )


@dataclass(frozen=True, kw_only=True)
class ShareFinish:
    """What turns raw shares into estimates, intervals and lists."""

    knots: Knots
    """The curve of calibration; straight where there were too few rows to learn one."""
    residuals: ConformalResiduals
    """Of rows whose units nobody says."""
    residuals_by_units: ConformalResiduals | None
    """Of rows whose units are known; none where all rows held back had equally many."""
    past: Past
    notes: tuple[str, ...]

    def estimate(self, raw: RawShares) -> FloatArray:
        """Return the calibrated shares, shape (rows,)."""
        return np.clip(self.knots.apply(raw.share), 0.0, 1.0)

    def interval(
        self, raw: RawShares, level: float, units: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high around the estimates, shape (rows,) each, as `units` may be.

        Raises:
            UnitsUnknownError: units are given, and nothing says what they do to an interval.
        """
        residuals = self.residuals if units is None else self.residuals_by_units
        if residuals is None:
            raise UnitsUnknownError
        return residuals.interval(self.estimate(raw), _footing(raw, units), level=level)

    def select(self, raw: RawShares, ask: Ask) -> Selection:
        """Choose rows; those of unseen groups only if enough such rows were held back.

        An estimate of a group that was seen is surer than an equal one of a group that wasn't, so
        that what came of the former promises nothing of the latter.
        """
        evidence, none = _footing(raw).evidence, LEVELS.index(OwnEvidence.NONE)
        estimate = self.estimate(raw)
        if (self.past.evidence == none).sum() < LEAST_PAST_ROWS:
            if raw.is_cold.all():
                return Selection.none(ask, estimate.size, Empty.TOO_FEW_PAST_DECISIONS)
            estimate = np.where(raw.is_cold, np.nan, estimate)
        return choose(estimate, evidence, self.past, ask)


def learn_share_finish(
    held: HeldBack, variances: Variances, rng: np.random.Generator
) -> ShareFinish:
    """Learn calibration from one half of the slice held back, residuals from the other.

    `variances` say how much rows differ, and so how many independent trials each is worth. Rows
    that may come out alike are in one half, so that the curve hasn't seen the groups whose
    residuals are taken. Where half of the slice is too small to calibrate on, raw shares stay as
    they are and all of it is for residuals; a note says so. Those count each row once, whatever
    its worth.
    """
    names, place = np.unique(held.alike, return_inverse=True)
    rows, groups = held.share.size, names.size
    if rows < 2 * LEAST_SHAPING_ROWS or groups < 2 * LEAST_SHAPING_GROUPS:
        note = _left_out(rows, groups)
        return _finish(_STRAIGHT, held, _spread_of(variances), notes=(note,))
    is_shaping = (rng.permutation(groups) % 2 == 0)[place]
    shaping = held.take(is_shaping)
    worth = variances.evidence(held.share, held.trials)[is_shaping]
    knots = fit_knots(shaping.raw.share, shaping.share, worth)
    spread = learn_spread(
        knots.apply(shaping.raw.share), shaping.share, np.fmax(shaping.trials, 1.0)
    )
    return _finish(knots, held.take(~is_shaping), spread, notes=())


def _spread_of(variances: Variances) -> Spread:
    """Return how far shares of so many trials fall from their estimates, for want of residuals."""
    one_trial = Spread.binomial()
    factors = np.sqrt(variances.of_rows(_UNITS) / variances.of_rows(np.ones(1)))
    return Spread(one_trial.estimates, one_trial.sizes, _UNITS, factors)


def _left_out(rows: int, groups: int) -> str:
    found, needed = f"{rows:,} rows", f"{2 * LEAST_SHAPING_ROWS:,}"
    if groups < rows:
        found, needed = f"{found} of {groups:,} groups", f"{needed} of {2 * LEAST_SHAPING_GROUPS}"
    return (
        f"Estimates aren't calibrated: {found} were held back; {needed} are needed, half of them "
        "for the curve and half for the intervals."
    )


def _merged(held: HeldBack) -> str:
    cold = held.raw.is_cold
    found, needed = f"{int(cold.sum())} of them", str(LEAST_CELL_LISTINGS)
    groups = np.unique(held.alike[cold]).size
    if groups < cold.sum():
        found, needed = f"{found}, of {groups} groups,", f"{needed} groups"
    return (
        f"Intervals of rows in unseen groups rest on all {cold.size} rows held back: {found} are "
        f"in unseen groups; {needed} are needed to tell them apart."
    )


def _finish(knots: Knots, held: HeldBack, spread: Spread, *, notes: tuple[str, ...]) -> ShareFinish:
    """Learn residuals, of which `spread` measures those of rows whose units are known."""
    raw, _rows = held.raw, held.share.size
    estimate, footing = knots.apply(raw.share), _footing(raw)
    residuals = learn_residuals(
        estimate, held.share, footing, spread=Spread.binomial(), listings=held.alike
    )
    by_units, known = None, _footing(raw, held.trials)
    if np.unique(known.units).size > 1:
        by_units = learn_residuals(estimate, held.share, known, spread=spread, listings=held.alike)
    past = keep_past(estimate, held.share, footing.evidence, listings=held.alike)
    if not raw.is_cold.all() and residuals.is_merged(footing)[raw.is_cold].any():
        notes = (*notes, _merged(held))
    return ShareFinish(
        knots=knots, residuals=residuals, residuals_by_units=by_units, past=past, notes=notes
    )


def _footing(raw: RawShares, units: FloatArray | None = None) -> Footing:
    """Return cells by evidence alone: nothing is known here of markets."""
    places = {level: place for place, level in enumerate(LEVELS)}
    codes = np.where(raw.is_cold, places[OwnEvidence.NONE], places[OwnEvidence.MUCH])
    known = np.ones(raw.share.size) if units is None else np.fmax(units, 1.0)
    return Footing(codes, cells_of((NO_MARKET,)), known)
