"""How often intervals hold, and how wide they are, in every cell and beside the plain ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.cells import ROOT, IntervalContext, MondrianCell
from serving.conformal.intervals import CellResiduals
from serving.prediction.target_model import TargetModel
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.metrics.bootstrap import cluster_sums
from training.metrics.metrics import Forecast

MIN_CELL_ROWS: Final = 200
"""Of fewer rows, a share of 80 % is known no better than to three in a hundred, were they all of
different listings; `Coverage.error` says how well it is known as they are."""

MAX_CELLS: Final = 40
"""Cells reported one by one, the largest."""

ALL_ROWS: Final = "all"


@dataclass(frozen=True)
class _CellRows:
    """Rows of the latest slice with what was said of them, each array of shape (rows,)."""

    label: FloatArray
    forecast: Forecast
    plain: tuple[FloatArray, FloatArray]
    """Low and high of plain intervals."""
    listings: IntArray

    def select(self, mask: BoolArray) -> _CellRows:
        """Return the rows that a mask picks."""
        low, high = self.plain
        return _CellRows(
            self.label[mask],
            self.forecast.select(mask),
            (low[mask], high[mask]),
            self.listings[mask],
        )


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The intervals of a cell's rows, in the latest slice."""

    rows: int
    listings: int
    coverage: float
    """Share of rows within their interval."""
    error: float
    """Standard error of that share, as listings come by chance and all rows of one together
    (Liang and Zeger 1986, "Longitudinal data analysis using generalized linear models"): so much
    a coverage differs from what holds in the long run, and twice as much in one case of 20. That
    the residuals behind the intervals came by chance too, from about as many listings, is not
    in it."""
    width: float
    """Mean width."""
    plain_coverage: float
    plain_width: float
    """The same of plain split-conformal intervals: one width for every row, learned from the
    same rows, cut off at 0 and 1 (Lei et al. 2018)."""
    is_merged: bool
    """Whether the intervals rest on a wider cell."""


def coverage_by_cell(
    model: TargetModel,
    training_input: TrainingInput,
    split: TargetSplit,
    *,
    context: IntervalContext,
    forecast: Forecast,
) -> dict[str, Coverage]:
    """Measure all rows of the latest slice, then each large cell of own evidence and market.

    `context` is that of the whole training set; `forecast` the model's forecast of the latest rows.
    """
    coverage = training_input.recipe.settings.interval_coverage
    plain = _plain_intervals(
        model, training_input, split, forecast=forecast.estimate, coverage=coverage
    )
    own = context.select(split.latest.rows)
    sizes = np.bincount(own.codes, minlength=len(own.cells))
    listings = training_input.training_set.listings[split.latest.rows]
    large = [code for code in np.argsort(-sizes, kind="stable") if sizes[code] >= MIN_CELL_ROWS]
    masks = {ROOT: np.ones(own.codes.shape, dtype=np.bool_)}
    masks |= {own.cells[code]: own.codes == code for code in large[:MAX_CELLS]}
    cells: Mapping[MondrianCell, object] = model.residuals.cells
    return {
        " ".join(cell) or ALL_ROWS: _measure_cell(
            _CellRows(split.latest.label, forecast, plain, listings).select(mask),
            is_merged=cell not in cells,
        )
        for cell, mask in masks.items()
    }


def _plain_intervals(
    model: TargetModel,
    training_input: TrainingInput,
    split: TargetSplit,
    *,
    forecast: FloatArray,
    coverage: float,
) -> tuple[FloatArray, FloatArray]:
    """Return low and high of plain intervals around the estimates `forecast`."""
    residual_fit = split.residual_fit
    estimate = model.predict(training_input.matrix[residual_fit.rows])
    quantile = CellResiduals.from_residuals(residual_fit.label - estimate).quantile(coverage)
    return np.maximum(forecast - quantile, 0.0), np.minimum(forecast + quantile, 1.0)


def _measure_cell(rows: _CellRows, *, is_merged: bool) -> Coverage:
    inside = (rows.forecast.low <= rows.label) & (rows.label <= rows.forecast.high)
    low, high = rows.plain
    return Coverage(
        rows=rows.label.size,
        listings=np.unique(rows.listings).size,
        coverage=float(inside.mean()),
        error=clustered_standard_error(inside, rows.listings),
        width=float((rows.forecast.high - rows.forecast.low).mean()),
        plain_coverage=float(((low <= rows.label) & (rows.label <= high)).mean()),
        plain_width=float((high - low).mean()),
        is_merged=is_merged,
    )


def clustered_standard_error(is_held: BoolArray, clusters: IntArray) -> float:
    """Return the standard error of a share of rows that come in clusters, shape (rows,) each.

    0 where there is but one cluster: nothing is known of how they differ.
    """
    (sums,) = cluster_sums([is_held - is_held.mean()], np.ones(is_held.size), clusters).T
    few = sums.size / max(sums.size - 1, 1)
    return float(np.sqrt(few * (sums**2).sum()) / is_held.size)
