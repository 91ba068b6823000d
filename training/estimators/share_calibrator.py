"""Calibrate an estimator's raw shares and put intervals around them, with or without units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, Self

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.cells import EVIDENCE_AMOUNTS, IntervalContext, OwnEvidence, leaf_cells
from serving.conformal.difficulty import DifficultyEstimate
from serving.prediction.calibration import CalibrationCurve
from serving.scoring.selection import (
    MIN_SAMPLE_ROWS,
    NoSelectionReason,
    Selection,
    SelectionRequest,
    choose,
)
from training.calibration.conformal_calibrator import CalibrationRows, ConformalCalibrator
from training.calibration.curves import CurveFitter, fit_identity, fit_isotonic, fit_logistic
from training.calibration.difficulty import binomial_difficulty
from training.calibration.residuals import MIN_CELL_LISTINGS
from training.encoding.input_table import InputTable
from training.estimator_errors import UnitsUnknownError
from training.estimators.choose_curve import choose_curve
from training.shrinkage.variance_components import Variances

MIN_CURVE_FIT_GROUPS: Final = 50
MIN_CURVE_FIT_ROWS: Final = 1000
"""Fewest groups and rows of the half that fits a curve; with fewer the curve stays straight
(docs/decisions/smallest-calibration-slice.md)."""

CURVES: Final[tuple[CurveFitter, ...]] = (
    fit_identity,
    fit_logistic,
    partial(fit_isotonic, groups=20),
    fit_isotonic,
)
"""From the stiffest to the most flexible; the first, which changes nothing, needs no proof."""

NO_MARKET: Final = ""
COLD: Final = EVIDENCE_AMOUNTS.index(OwnEvidence.NONE)
KNOWN: Final = EVIDENCE_AMOUNTS.index(OwnEvidence.MUCH)

_STRAIGHT: Final = CalibrationCurve(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
_UNIT_GRID: Final[FloatArray] = np.geomspace(1, 1e6, 61)


@dataclass(frozen=True)
class RawShares:
    """A fitted model's predictions before calibration; both arrays have shape (rows,)."""

    share: FloatArray
    is_cold: BoolArray
    """True if the narrowest group of the row was unseen."""


class Forecaster(Protocol):
    """A fitted model of shares."""

    @property
    def variances(self) -> Variances:
        """Return how much rows differ, by chance and beyond it."""

    def predict(self, table: InputTable) -> RawShares:
        """Return the raw share of each row."""


@dataclass(frozen=True, kw_only=True)
class HoldoutRows:
    """Rows held back from a model, with its raw shares; all arrays have shape (rows,)."""

    raw: RawShares
    share: FloatArray
    """The labels."""
    trials: FloatArray
    clusters: IntArray
    """A number for each group of rows that may have similar outcomes."""


@dataclass(frozen=True, kw_only=True)
class ShareCalibrator:
    """Turn raw shares into estimates, intervals and selections, in a table without markets."""

    without_units: ConformalCalibrator
    """For rows whose number of units is unknown."""
    by_units: ConformalCalibrator | None
    """For rows whose number of units is known; None if all held-out rows had the same number."""
    notes: tuple[str, ...]
    """Sentences about what was left out or merged because rows are few."""

    @classmethod
    def fit(cls, held: HoldoutRows, variances: Variances, rng: np.random.Generator) -> Self:
        """Fit the curve on one half of the rows held back, the residuals on the other half.

        `variances` tells how many independent trials each row is worth. Clusters are never divided
        between the halves, so that the curve hasn't seen the groups whose residuals are taken. If
        there are too few rows for a curve, it stays straight, all rows give residuals, and a note
        reports it.
        """
        rows = _calibration_rows(held, variances)
        clusters, cluster = np.unique(held.clusters, return_inverse=True)
        notes: tuple[str, ...] = ()
        if rows.label.size < 2 * MIN_CURVE_FIT_ROWS or clusters.size < 2 * MIN_CURVE_FIT_GROUPS:
            residual_fit = rows
            left = variances.explain_rows(held.share, held.raw.share, held.trials)
            calibrator = ConformalCalibrator.conformalise(
                rows,
                curve=_STRAIGHT,
                difficulty=_difficulty_from_variances(left),
            )
            notes = (_note_straight_curve(rows.label.size, clusters.size),)
        else:
            is_curve_fit = (rng.permutation(clusters.size) % 2 == 0)[cluster]
            residual_fit = rows.select(~is_curve_fit)
            calibrator = ConformalCalibrator.fit(
                rows.select(is_curve_fit),
                residual_fit,
                fit_curve=_choose_curve_by(cluster[is_curve_fit]),
            )
        without_units = ConformalCalibrator.conformalise(
            residual_fit, curve=calibrator.curve, difficulty=binomial_difficulty()
        )
        return cls(
            without_units=without_units,
            by_units=calibrator if np.unique(residual_fit.context.exposure).size > 1 else None,
            notes=notes + _note_merged_cells(residual_fit, without_units),
        )

    def estimate(self, raw: RawShares) -> FloatArray:
        """Return the calibrated shares, shape (rows,)."""
        return np.clip(self.without_units.estimate(raw.share), 0.0, 1.0)

    def interval(
        self, raw: RawShares, coverage: float, units: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high around the estimates, shape (rows,) each, as `units` may be.

        Raises:
            UnitsUnknownError: units are given, but no row held back shows what they change.
        """
        calibrator = self.without_units if units is None else self.by_units
        if calibrator is None:
            raise UnitsUnknownError
        context = _build_context(raw.is_cold, np.ones(raw.share.size) if units is None else units)
        return calibrator.interval(self.estimate(raw), context, coverage=coverage)

    def select(self, raw: RawShares, request: SelectionRequest) -> Selection:
        """Choose rows; rows of unseen groups only if enough such rows were held back.

        An estimate for a seen group is more certain than the same estimate for an unseen group, so
        that outcomes of seen groups promise nothing about unseen ones.
        """
        sample, estimate = self.without_units.sample, self.estimate(raw)
        if (sample.evidence == COLD).sum() < MIN_SAMPLE_ROWS:
            if raw.is_cold.all():
                return Selection.none(
                    request, estimate.size, NoSelectionReason.TOO_FEW_PAST_DECISIONS
                )
            estimate = np.where(raw.is_cold, np.nan, estimate)
        return choose(estimate, np.where(raw.is_cold, COLD, KNOWN), sample, request)


def _choose_curve_by(clusters: IntArray) -> CurveFitter:
    """Return a fitter that takes a curve only if it predicts other clusters significantly better.

    `clusters` numbers the group of each row, shape (rows,).
    """
    return partial(choose_curve, curves=CURVES, groups=clusters)


def _calibration_rows(held: HoldoutRows, variances: Variances) -> CalibrationRows:
    return CalibrationRows(
        raw=held.raw.share,
        label=held.share,
        weight=variances.fit_weight(held.share, held.trials),
        context=_build_context(held.raw.is_cold, held.trials),
        listings=held.clusters,
    )


def _build_context(is_cold: BoolArray, units: FloatArray) -> IntervalContext:
    """Return cells by evidence alone, in one market without a name."""
    codes = np.where(is_cold, COLD, KNOWN)
    return IntervalContext(codes, leaf_cells((NO_MARKET,)), np.fmax(units, 1.0))


def _difficulty_from_variances(variances: Variances) -> DifficultyEstimate:
    """Return the difficulty that the variances of shares imply, where residuals are too few."""
    one_trial = binomial_difficulty()
    factors = np.sqrt(variances.row_variance(_UNIT_GRID) / variances.row_variance(np.ones(1)))
    return DifficultyEstimate(one_trial.estimates, one_trial.sizes, _UNIT_GRID, factors)


def _note_straight_curve(rows: int, groups: int) -> str:
    actual, needed = f"{rows:,} rows", f"{2 * MIN_CURVE_FIT_ROWS:,}"
    if groups < rows:
        actual, needed = f"{actual} of {groups:,} groups", f"{needed} of {2 * MIN_CURVE_FIT_GROUPS}"
    return (
        f"Estimates aren't calibrated: {actual} were held back; {needed} are needed, half of them "
        "for the curve and half for the intervals."
    )


def _note_merged_cells(rows: CalibrationRows, calibrator: ConformalCalibrator) -> tuple[str, ...]:
    """Return a note if rows of unseen groups share the residuals of all rows."""
    is_cold = rows.context.evidence == COLD
    if is_cold.all() or not calibrator.residuals.is_merged(rows.context)[is_cold].any():
        return ()
    actual, needed = f"{int(is_cold.sum())} of them", str(MIN_CELL_LISTINGS)
    groups = np.unique(rows.listings[is_cold]).size
    if groups < is_cold.sum():
        actual, needed = f"{actual}, of {groups} groups,", f"{needed} groups"
    note = (
        f"Intervals of rows in unseen groups use the residuals of all {is_cold.size} rows held "
        f"back: {actual} are in unseen groups; {needed} are needed for residuals of their own."
    )
    return (note,)
