"""Fit conformal residuals, and draw the sample that selection compares candidates with."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.calibration_sample import MAX_ROWS, CalibrationSample
from serving.conformal.cell_residuals import MAX_CELLS, CellResiduals
from serving.conformal.cells import ROOT, IntervalContext, MondrianCell, ancestors
from serving.conformal.demand_tails import DemandTails
from serving.conformal.difficulty import DifficultyEstimate
from serving.conformal.intervals import ConformalResiduals
from serving.demand.lot_demand import LotDemand

MIN_CELL_LISTINGS: Final = 100
"""Fewest listings of a cell with residuals of its own (docs/decisions/listings-per-cell.md)."""


def fit_residuals(
    estimate: FloatArray,
    outcome: FloatArray,
    context: IntervalContext,
    *,
    difficulty: DifficultyEstimate,
    listings: IntArray,
) -> ConformalResiduals:
    """Collect the residuals of shares in each large cell from rows that no model was fitted on.

    All arrays have shape (rows,). `listings` numbers the listing of each row: a cell is large if it
    has enough listings, however many rows each of them has.
    """
    residuals = (outcome - estimate) / difficulty.sigma(estimate, context.exposure)
    cells = collect_cells(residuals, context, listings=listings)
    return ConformalResiduals(cells=cells, difficulty=difficulty)


def fit_tails(
    demand: LotDemand, outcome: FloatArray, context: IntervalContext, *, listings: IntArray
) -> DemandTails:
    """Collect how far out the units sold fell in each large cell, as `fit_residuals` does.

    `outcome` is the share of each lot that was sold.
    """
    sold = np.round(outcome * demand.lot)
    return DemandTails(collect_cells(1.0 - demand.tail(sold), context, listings=listings))


def collect_cells(
    residuals: FloatArray, context: IntervalContext, *, listings: IntArray
) -> dict[MondrianCell, CellResiduals]:
    """Return the residuals of each large cell; all arrays have shape (rows,)."""
    counts = _count_listings(context, listings)
    large = [cell for cell, count in counts.items() if count >= MIN_CELL_LISTINGS and cell != ROOT]
    by_size = sorted(large, key=lambda cell: (-counts[cell], len(cell), cell))
    return {
        cell: CellResiduals.from_residuals(residuals[_is_in_cell(cell, context)])
        for cell in (ROOT, *by_size[: MAX_CELLS - 1])
    }


def _count_listings(context: IntervalContext, listings: IntArray) -> dict[MondrianCell, int]:
    """Count the listings of each cell; a listing that changes cells counts in each of them."""
    by_cell: dict[MondrianCell, set[int]] = {}
    for code in np.unique(context.codes).tolist():
        in_leaf = set(listings[context.codes == code].tolist())
        for cell in ancestors(context.cells[code]):
            by_cell.setdefault(cell, set()).update(in_leaf)
    return {cell: len(in_cell) for cell, in_cell in by_cell.items()}


def _is_in_cell(cell: MondrianCell, context: IntervalContext) -> BoolArray:
    """Return True for rows in a cell or below it, shape (rows,)."""
    within = np.array([cell in ancestors(leaf) for leaf in context.cells], dtype=np.bool_)
    return within[context.codes]


def subsample(
    estimate: FloatArray, outcome: FloatArray, evidence: IntArray, *, listings: IntArray
) -> CalibrationSample:
    """Draw at most `MAX_ROWS` calibration rows at random; arrays have shape (rows,).

    The same rows always give the same sample.
    """
    rows = np.arange(estimate.size)
    if rows.size > MAX_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MAX_ROWS, replace=False))
    _, numbers = np.unique(listings[rows], return_inverse=True)
    return CalibrationSample(
        estimate[rows], outcome[rows], evidence[rows], numbers.astype(np.int64)
    )
