"""Measure coverage and width of intervals by cell, beside plain split-conformal intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.cell_residuals import CellResiduals
from serving.conformal.cells import ROOT, MondrianCell
from training.calibration.fitted_target import FittedTarget
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.metrics.bootstrap import cluster_sums
from training.metrics.metrics import Forecast

MIN_CELL_ROWS: Final = 200
"""Fewest rows of a reported cell: a coverage of 80 % then has a standard error of about 0.03 if all
rows are of different listings. `Coverage.error` is the error with the listings as they are."""

MAX_CELLS: Final = 40
"""Most cells reported, the largest."""

ALL_ROWS: Final = "all"


@dataclass(frozen=True)
class _CellRows:
    """Rows of the latest slice with their forecasts; each array has shape (rows,)."""

    label: FloatArray
    forecast: Forecast
    plain: tuple[FloatArray, FloatArray]
    """Low and high of the plain intervals."""
    listings: IntArray

    def select(self, mask: BoolArray) -> _CellRows:
        """Return the rows of a mask."""
        low, high = self.plain
        return _CellRows(
            self.label[mask],
            self.forecast.select(mask),
            (low[mask], high[mask]),
            self.listings[mask],
        )


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Coverage and width of the intervals of a cell, in the latest slice."""

    rows: int
    listings: int
    coverage: float
    """Share of rows whose outcome is within their interval."""
    error: float
    """Standard error of the coverage with listings as clusters (Liang and Zeger 1986, "Longitudinal
    data analysis using generalized linear models"). It leaves out the chance in the residuals
    behind the intervals, which come from about as many listings."""
    width: float
    """Mean width."""
    plain_coverage: float
    plain_width: float
    """Coverage and mean width of plain split-conformal intervals (Lei et al. 2018), all of one
    width, fitted on the same rows, cut off at 0 and 1."""
    is_merged: bool
    """Whether the intervals use the residuals of a wider cell."""


def coverage_by_cell(
    fitted: FittedTarget, training_input: TrainingInput, split: TargetSplit, *, forecast: Forecast
) -> dict[str, Coverage]:
    """Measure all rows of the latest slice, then each large cell of own evidence and market.

    `forecast` covers the latest rows.
    """
    coverage = training_input.recipe.settings.interval_coverage
    plain = _plain_intervals(fitted, split, center=forecast.estimate, coverage=coverage)
    latest = fitted.context.select(split.latest.rows)
    sizes = np.bincount(latest.codes, minlength=len(latest.cells))
    listings = training_input.training_set.listings[split.latest.rows]
    large = [code for code in np.argsort(-sizes, kind="stable") if sizes[code] >= MIN_CELL_ROWS]
    masks = {ROOT: np.ones(latest.codes.shape, dtype=np.bool_)}
    masks |= {latest.cells[code]: latest.codes == code for code in large[:MAX_CELLS]}
    cells: Mapping[MondrianCell, object] = fitted.model.residuals.cells
    return {
        " ".join(cell) or ALL_ROWS: _measure_cell(
            _CellRows(split.latest.label, forecast, plain, listings).select(mask),
            is_merged=cell not in cells,
        )
        for cell, mask in masks.items()
    }


def _plain_intervals(
    fitted: FittedTarget, split: TargetSplit, *, center: FloatArray, coverage: float
) -> tuple[FloatArray, FloatArray]:
    """Return low and high of the plain intervals around the estimates `center`."""
    rows = split.residual_fit
    residuals = rows.label - fitted.forward[rows.rows]
    quantile = CellResiduals.from_residuals(residuals).quantile(coverage)
    return np.maximum(center - quantile, 0.0), np.minimum(center + quantile, 1.0)


def _measure_cell(rows: _CellRows, *, is_merged: bool) -> Coverage:
    is_covered = (rows.forecast.low <= rows.label) & (rows.label <= rows.forecast.high)
    low, high = rows.plain
    return Coverage(
        rows=rows.label.size,
        listings=np.unique(rows.listings).size,
        coverage=float(is_covered.mean()),
        error=clustered_standard_error(is_covered, rows.listings),
        width=float((rows.forecast.high - rows.forecast.low).mean()),
        plain_coverage=float(((low <= rows.label) & (rows.label <= high)).mean()),
        plain_width=float((high - low).mean()),
        is_merged=is_merged,
    )


def clustered_standard_error(is_covered: BoolArray, clusters: IntArray) -> float:
    """Return the standard error of the share of covered rows, shape (rows,) each.

    0 if there is only one cluster, because one cluster doesn't show how clusters differ.
    """
    (sums,) = cluster_sums([is_covered - is_covered.mean()], np.ones(is_covered.size), clusters).T
    correction = sums.size / max(sums.size - 1, 1)
    return float(np.sqrt(correction * (sums**2).sum()) / is_covered.size)
