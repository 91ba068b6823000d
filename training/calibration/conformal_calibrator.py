"""Calibrate raw predictions, then put conformal intervals around the estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.calibration_sample import CalibrationSample
from serving.conformal.cells import IntervalContext
from serving.conformal.difficulty import DifficultyEstimate
from serving.conformal.intervals import ConformalResiduals
from serving.prediction.calibration import CalibrationCurve
from serving.prediction.outlook import ShareOutlook
from training.calibration.curves import CurveFitter
from training.calibration.difficulty import fit_difficulty
from training.calibration.residuals import fit_residuals, subsample
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_set import EncodedColumn


@dataclass(frozen=True, kw_only=True)
class CalibrationRows:
    """Rows, each predicted by a model that hadn't learned from it.

    Each array has shape (rows,).
    """

    raw: FloatArray
    """Raw predictions."""
    label: FloatArray
    weight: FloatArray
    """Read by the curve alone: an interval is a promise about one row, whatever its weight."""
    context: IntervalContext
    listings: IntArray
    """A number for each listing, whose rows have similar outcomes."""

    def select(self, mask: BoolArray) -> CalibrationRows:
        """Return the rows of a mask."""
        return CalibrationRows(
            raw=self.raw[mask],
            label=self.label[mask],
            weight=self.weight[mask],
            context=self.context.select(mask),
            listings=self.listings[mask],
        )


@dataclass(frozen=True, kw_only=True)
class ConformalCalibrator:
    """Turn raw predictions into calibrated estimates with conformal intervals."""

    curve: CalibrationCurve
    residuals: ConformalResiduals
    sample: CalibrationSample
    """Past decisions that selection compares candidates with."""

    @classmethod
    def fit(
        cls, curve_fit: CalibrationRows, residual_fit: CalibrationRows, *, fit_curve: CurveFitter
    ) -> Self:
        """Fit the curve and the difficulty on some rows, the residuals on other rows.

        The two sets of rows must share no product. Why each row serves only one of the two fits:
        docs/decisions/calibration-halves.md.
        """
        curve = fit_curve(curve_fit.raw, curve_fit.label, curve_fit.weight)
        difficulty = fit_difficulty(
            curve.apply(curve_fit.raw), curve_fit.label, curve_fit.context.exposure
        )
        return cls.conformalise(residual_fit, curve=curve, difficulty=difficulty)

    @classmethod
    def conformalise(
        cls, rows: CalibrationRows, *, curve: CalibrationCurve, difficulty: DifficultyEstimate
    ) -> Self:
        """Fit the residuals around a known curve, measured in a known difficulty."""
        estimate = curve.apply(rows.raw)
        residuals = fit_residuals(
            estimate, rows.label, rows.context, difficulty=difficulty, listings=rows.listings
        )
        sample = subsample(estimate, rows.label, rows.context.evidence, listings=rows.listings)
        return cls(curve=curve, residuals=residuals, sample=sample)

    def predict(self, raw: FloatArray) -> ShareOutlook:
        """Return the calibrated shares of rows with what their intervals need."""
        return ShareOutlook(self.curve.apply(raw), self.residuals)

    def estimate(self, raw: FloatArray) -> FloatArray:
        """Return the calibrated shares, shape (rows,)."""
        return self.curve.apply(raw)

    def interval(
        self, estimate: FloatArray, context: IntervalContext, *, coverage: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high around each estimate, shape (rows,) each."""
        return self.residuals.interval(estimate, context, coverage=coverage)


def calibrate_target(
    raw: FloatArray,
    context: IntervalContext,
    split: TargetSplit,
    *,
    keys: Mapping[str, EncodedColumn],
    fit_curve: CurveFitter,
) -> ConformalCalibrator:
    """Fit a calibrator on the calibration slice of a target.

    `raw`, `context` and `keys` cover all rows of the training set, of which only the calibration
    slice is read.
    """

    def calibration_rows(sample: Sample) -> CalibrationRows:
        return CalibrationRows(
            raw=raw[sample.rows],
            label=sample.label,
            weight=sample.weight,
            context=context.select(sample.rows),
            listings=keys["listing_id"].codes[sample.rows],
        )

    return ConformalCalibrator.fit(
        calibration_rows(split.curve_fit),
        calibration_rows(split.residual_fit),
        fit_curve=fit_curve,
    )
