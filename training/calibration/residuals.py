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
    """Collect the residuals of shares in each large cell.

    Each row is predicted by a model that hadn't learned from it. All arrays have shape (rows,).
    `listings` numbers the listing of each row: a cell is large if it has enough listings, however
    many rows each of them has.
    """
    residuals = (outcome - estimate) / difficulty.sigma(estimate, context.exposure)
    cells = collect_cells(residuals[:, None], context, listings=listings)
    return ConformalResiduals(cells=cells, difficulty=difficulty)


def fit_tails(
    demand: LotDemand,
    outcome: FloatArray,
    context: IntervalContext,
    *,
    listings: IntArray,
    drifts: FloatArray | None = None,
) -> DemandTails:
    """Collect how far out the units sold fell in each large cell, as `fit_residuals` does.

    `outcome` is the share of each lot that was sold. `drifts`, of shape (rows, drifts), says how
    far demand drifted each time that a row counts (demand_drift.py); without them, a row counts
    once and as it was.
    """
    sold = np.round(outcome * demand.lot)
    columns = np.zeros((1, sold.size)) if drifts is None else drifts.T
    tails = [demand.drift(by).tail(sold) for by in columns]
    return DemandTails(collect_cells(1.0 - np.stack(tails, axis=1), context, listings=listings))


def collect_cells(
    residuals: FloatArray, context: IntervalContext, *, listings: IntArray
) -> dict[MondrianCell, CellResiduals]:
    """Return the residuals of each large cell.

    `residuals` has shape (rows, drifts), the other arrays (rows,). A row counts once, however many
    residuals it has: of each cell's sorted residuals, the highest of every `drifts` is kept.
    """
    drifts = residuals.shape[1]
    counts = _count_listings(context, listings)
    large = [cell for cell, count in counts.items() if count >= MIN_CELL_LISTINGS and cell != ROOT]
    by_size = sorted(large, key=lambda cell: (-counts[cell], len(cell), cell))
    return {
        cell: CellResiduals.from_residuals(
            np.sort(residuals[_is_in_cell(cell, context)], axis=None)[drifts - 1 :: drifts]
        )
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
