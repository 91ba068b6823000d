"""Finish a model of shares on rows that it hasn't seen: calibration and residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.calibration_sample import CalibrationSample, subsample
from serving.conformal.cells import EVIDENCE_AMOUNTS, IntervalContext, OwnEvidence, leaf_cells
from serving.conformal.difficulty import DifficultyEstimate
from serving.conformal.intervals import MIN_CELL_LISTINGS, ConformalResiduals, fit_residuals
from serving.prediction.calibration import CalibrationCurve
from serving.scoring.selection import (
    MIN_SAMPLE_ROWS,
    NoSelectionReason,
    Selection,
    SelectionRequest,
    choose,
)
from training.calibration.curves import fit_isotonic
from training.calibration.difficulty import fit_difficulty
from training.encoding.input_table import InputTable
from training.estimator_errors import UnitsUnknownError
from training.shrinkage.variance_components import Variances

MIN_CURVE_FIT_GROUPS: Final = 50
"""With fewer groups held back in half of the slice, intervals of new groups were too narrow: 80 %
ones around a curve of 6 groups held 75 %, of 60 79 %, of 240 80 %."""
MIN_CURVE_FIT_ROWS: Final = 1000
"""With fewer rows in half of the slice isotonic steps cost more than they mend: with 834, R² on
new products of Complete Journey fell from 0.290 to 0.270, and log loss rose."""

NO_MARKET: Final = ""

_IDENTITY: Final = CalibrationCurve(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
_UNIT_GRID: Final[FloatArray] = np.geomspace(1, 1e6, 61)


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
class HoldoutRows:
    """Rows held back from a model, with what it says of them; all of shape (rows,)."""

    raw: RawShares
    share: FloatArray
    """The labels."""
    trials: FloatArray
    clusters: IntArray
    """A number for each group of rows that may come out alike."""

    def take(self, rows: BoolArray) -> HoldoutRows:
        """Return some rows."""
        return HoldoutRows(
            raw=self.raw.take(rows),
            share=self.share[rows],
            trials=self.trials[rows],
            clusters=self.clusters[rows],
        )


@dataclass(frozen=True, kw_only=True)
class ShareFinish:
    """What turns raw shares into estimates, intervals and lists."""

    knots: CalibrationCurve
    """The curve of calibration; straight where there were too few rows to learn one."""
    residuals: ConformalResiduals
    """Of rows whose units nobody says."""
    residuals_by_units: ConformalResiduals | None
    """Of rows whose units are known; none where all rows held back had equally many."""
    calibration_sample: CalibrationSample
    notes: tuple[str, ...]

    def estimate(self, raw: RawShares) -> FloatArray:
        """Return the calibrated shares, shape (rows,)."""
        return np.clip(self.knots.apply(raw.share), 0.0, 1.0)

    def interval(
        self, raw: RawShares, coverage: float, exposure: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high around the estimates, shape (rows,) each, as `exposure` may be.

        Raises:
            UnitsUnknownError: units are given, and nothing says what they do to an interval.
        """
        residuals = self.residuals if exposure is None else self.residuals_by_units
        if residuals is None:
            raise UnitsUnknownError
        return residuals.interval(self.estimate(raw), _context(raw, exposure), coverage=coverage)

    def select(self, raw: RawShares, request: SelectionRequest) -> Selection:
        """Choose rows; those of unseen groups only if enough such rows were held back.

        An estimate of a group that was seen is surer than an equal one of a group that wasn't, so
        that what came of the former promises nothing of the latter.
        """
        evidence, none = _context(raw).evidence, EVIDENCE_AMOUNTS.index(OwnEvidence.NONE)
        estimate = self.estimate(raw)
        if (self.calibration_sample.evidence == none).sum() < MIN_SAMPLE_ROWS:
            if raw.is_cold.all():
                return Selection.none(
                    request, estimate.size, NoSelectionReason.TOO_FEW_PAST_DECISIONS
                )
            estimate = np.where(raw.is_cold, np.nan, estimate)
        return choose(estimate, evidence, self.calibration_sample, request)


def learn_share_finish(
    held: HoldoutRows, variances: Variances, rng: np.random.Generator
) -> ShareFinish:
    """Learn calibration from one half of the slice held back, residuals from the other.

    `variances` say how much rows differ, and so how many independent trials each is worth. Rows
    that may come out alike are in one half, so that the curve hasn't seen the groups whose
    residuals are taken. Where half of the slice is too small to calibrate on, raw shares stay as
    they are and all of it is for residuals; a note says so. Those count each row once, whatever
    its worth.
    """
    names, place = np.unique(held.clusters, return_inverse=True)
    rows, groups = held.share.size, names.size
    if rows < 2 * MIN_CURVE_FIT_ROWS or groups < 2 * MIN_CURVE_FIT_GROUPS:
        note = _uncalibrated_note(rows, groups)
        return _finish(_IDENTITY, held, _difficulty_from_variances(variances), notes=(note,))
    is_curve_fit = (rng.permutation(groups) % 2 == 0)[place]
    curve_fit = held.take(is_curve_fit)
    worth = variances.evidence(held.share, held.trials)[is_curve_fit]
    knots = fit_isotonic(curve_fit.raw.share, curve_fit.share, worth)
    difficulty = fit_difficulty(
        knots.apply(curve_fit.raw.share), curve_fit.share, np.fmax(curve_fit.trials, 1.0)
    )
    return _finish(knots, held.take(~is_curve_fit), difficulty, notes=())


def _difficulty_from_variances(variances: Variances) -> DifficultyEstimate:
    """Return how far shares of so many trials fall from their estimates, for want of residuals."""
    one_trial = DifficultyEstimate.binomial()
    factors = np.sqrt(variances.row_variance(_UNIT_GRID) / variances.row_variance(np.ones(1)))
    return DifficultyEstimate(one_trial.estimates, one_trial.sizes, _UNIT_GRID, factors)


def _uncalibrated_note(rows: int, groups: int) -> str:
    found, needed = f"{rows:,} rows", f"{2 * MIN_CURVE_FIT_ROWS:,}"
    if groups < rows:
        found, needed = f"{found} of {groups:,} groups", f"{needed} of {2 * MIN_CURVE_FIT_GROUPS}"
    return (
        f"Estimates aren't calibrated: {found} were held back; {needed} are needed, half of them "
        "for the curve and half for the intervals."
    )


def _merged_cells_note(held: HoldoutRows) -> str:
    cold = held.raw.is_cold
    found, needed = f"{int(cold.sum())} of them", str(MIN_CELL_LISTINGS)
    groups = np.unique(held.clusters[cold]).size
    if groups < cold.sum():
        found, needed = f"{found}, of {groups} groups,", f"{needed} groups"
    return (
        f"Intervals of rows in unseen groups rest on all {cold.size} rows held back: {found} are "
        f"in unseen groups; {needed} are needed to tell them apart."
    )


def _finish(
    knots: CalibrationCurve,
    held: HoldoutRows,
    difficulty: DifficultyEstimate,
    *,
    notes: tuple[str, ...],
) -> ShareFinish:
    """Learn residuals, of which `difficulty` measures those of rows whose units are known."""
    raw, _rows = held.raw, held.share.size
    estimate, context = knots.apply(raw.share), _context(raw)
    residuals = fit_residuals(
        estimate,
        held.share,
        context,
        difficulty=DifficultyEstimate.binomial(),
        listings=held.clusters,
    )
    by_units, known = None, _context(raw, held.trials)
    if np.unique(known.exposure).size > 1:
        by_units = fit_residuals(
            estimate, held.share, known, difficulty=difficulty, listings=held.clusters
        )
    calibration_sample = subsample(estimate, held.share, context.evidence, listings=held.clusters)
    if not raw.is_cold.all() and residuals.is_merged(context)[raw.is_cold].any():
        notes = (*notes, _merged_cells_note(held))
    return ShareFinish(
        knots=knots,
        residuals=residuals,
        residuals_by_units=by_units,
        calibration_sample=calibration_sample,
        notes=notes,
    )


def _context(raw: RawShares, exposure: FloatArray | None = None) -> IntervalContext:
    """Return cells by evidence alone: nothing is known here of markets."""
    places = {coverage: place for place, coverage in enumerate(EVIDENCE_AMOUNTS)}
    codes = np.where(raw.is_cold, places[OwnEvidence.NONE], places[OwnEvidence.MUCH])
    known = np.ones(raw.share.size) if exposure is None else np.fmax(exposure, 1.0)
    return IntervalContext(codes, leaf_cells((NO_MARKET,)), known)
