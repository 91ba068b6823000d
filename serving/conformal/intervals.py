"""Split-conformal intervals around a share, in cells that merge upward where they are small.

The residual of a calibration row is `(outcome - estimate) / spread`. The interval of coverage L
reaches to the residual of rank (n+1)L by size, so that it covers a new, exchangeable outcome with
probability of at least L, whatever the model (Vovk, Gammerman and Shafer 2005, "Algorithmic
learning in a random world"; Lei et al. 2018, "Distribution-free predictive inference for
regression"). One set of residuals a cell is the Mondrian form; a cell of few listings shares
those of the cell above it (serving/conformal/cells.py).

The weekly rows of a listing say much the same, so that it is listings that are exchangeable, and
the number of them that tells how well a cell's residuals are known (Dunn, Wasserman and Ramdas
2023, "Distribution-free prediction sets for two-layer hierarchical models"). Within a cell each
row counts once all the same: weighting rows by 1/(rows of their listing), as hierarchical
conformal prediction does (Lee, Barber and Willett 2023, "Distribution-free inference with
hierarchical data"), promises the coverage for a random listing, where decisions are counted by row.
On five small simulated markets it widened intervals by 1 % and moved what the worst cell held by
less than 0.01 on average, once up, once down.

An interval is about the share that will be *realised* among the units expected, not about the
chance behind it: of three units one or none comes back, whatever the risk. Few units widen it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.cells import (
    EVIDENCE_AMOUNTS,
    ROOT,
    IntervalContext,
    MondrianCell,
    OwnEvidence,
    ancestors,
)
from serving.conformal.difficulty import DifficultyEstimate
from serving.errors import BrokenFileError

MAX_STORED: Final = 1001
"""Residuals kept a cell: quantiles are then off by at most 3 in a thousand, to the safe side."""


@dataclass(frozen=True)
class CellResiduals:
    """The residuals of a cell: sorted, thinned to `MAX_STORED`, and how many there were."""

    values: FloatArray
    count: int

    def __post_init__(self) -> None:
        """Refuse what can't be sorted residuals."""
        stored = self.values.size
        faults = {
            "no residuals": self.values.ndim != 1 or stored == 0,
            "a residual that isn't finite": not np.isfinite(self.values).all(),
            "residuals out of order": bool((np.diff(self.values) < 0).any()),
            "a wrong count": stored != min(self.count, MAX_STORED),
        }
        for fault, is_found in faults.items():
            if is_found:
                raise BrokenFileError("conformal residuals", fault)

    @classmethod
    def from_residuals(cls, residuals: FloatArray) -> CellResiduals:
        """Sort and thin the residuals of all calibration rows of a cell."""
        ordered = np.sort(residuals)
        return cls(ordered[_thin_positions(ordered.size)], int(ordered.size))

    def quantile(self, coverage: float) -> float:
        """Return how far from 0 a residual lies at most with probability `coverage`.

        The residual of rank (n+1) x coverage by size, or the next one kept beyond it. Infinite
        where the cell has too few rows for that coverage: then nothing is ruled out.
        """
        rank = math.ceil((self.count + 1) * coverage)
        if rank > self.count:
            return math.inf
        stored = self.values.size
        if stored < self.count:  # k kept in a row span at least (k-1)(n-1)/(stored-1) residuals
            rank = min(math.ceil(rank * (stored - 1) / (self.count - 1)) + 1, stored)
        return float(self._sizes[rank - 1])

    def share_at_least(self, residual: FloatArray) -> FloatArray:
        """Return the share of residuals at or above each value, never quite 0 or 1."""
        below = np.searchsorted(self.values, residual, side="left") / self.values.size
        return ((1 - below) * self.count + 0.5) / (self.count + 1)

    @cached_property
    def _sizes(self) -> FloatArray:
        return np.sort(np.abs(self.values))


@cache
def _thin_positions(count: int) -> npt.NDArray[np.int64]:
    """Return the positions, among `count` sorted residuals, of those that are stored."""
    positions = np.linspace(0, count - 1, min(count, MAX_STORED)).round().astype(np.int64)
    positions.flags.writeable = False
    return positions


MIN_CELL_LISTINGS: Final = 100
"""A cell of fewer listings is merged: from so many a share of 80 % is known to four in a hundred.
With 50 or with 200, what the worst large cells of five small simulated markets held was 0.002 to
0.005 less on average, sell-through and return risk alike."""

MAX_CELLS: Final = 256
"""The largest keep residuals of their own, so that a bundle stays bounded."""


@dataclass(frozen=True)
class ConformalResiduals:
    """The residuals of all cells that had listings enough, and what they were measured in."""

    difficulty: DifficultyEstimate
    cells: Mapping[MondrianCell, CellResiduals]
    """By path; every cell's parent is there, and all rows' always."""

    def __post_init__(self) -> None:
        """Refuse what can't be such a tree."""
        faults = {
            "no cell of all rows": ROOT not in self.cells,
            f"more than {MAX_CELLS} cells": len(self.cells) > MAX_CELLS,
            "a cell of no such evidence": not {c[0] for c in self.cells if c}
            <= set(EVIDENCE_AMOUNTS),
            "a cell too deep": any(len(cell) > 2 for cell in self.cells),  # noqa: PLR2004 - market
            "a cell without its parent": not {c[:-1] for c in self.cells} <= set(self.cells),
        }
        for fault, is_found in faults.items():
            if is_found:
                raise BrokenFileError("conformal residuals", fault)

    def interval(
        self, estimate: FloatArray, context: IntervalContext, *, coverage: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high with low <= estimate <= high, within [0, 1], shape (rows,).

        A cold start gets the widest interval of its market at that estimate and number of units:
        it covers at least as often as its own cell's, and is never narrower than that of a
        candidate with a history.
        """
        quantile = np.array([self._quantile(cell, coverage) for cell in context.cells])[
            context.codes
        ]
        width = quantile * self.difficulty.sigma(estimate, context.exposure)
        return np.maximum(estimate - width, 0.0), np.minimum(estimate + width, 1.0)

    def prob_at_least(
        self, estimate: FloatArray, context: IntervalContext, *, threshold: float
    ) -> FloatArray:
        """Return the probability that the outcome is at least `threshold` (in (0, 1]).

        The share of the cell's residuals at or above the one that the threshold would be: a
        conformal predictive distribution, right over all outcomes together, and at a single
        threshold as right as residuals are alike at all estimates.
        """
        residual = (threshold - estimate) / self.difficulty.sigma(estimate, context.exposure)
        probability = np.empty_like(residual)
        for code in np.unique(context.codes).tolist():
            rows = context.codes == code
            residuals = self.cells[self.resolve_cell(context.cells[code])]
            probability[rows] = residuals.share_at_least(residual[rows])
        return probability

    def is_merged(self, context: IntervalContext) -> BoolArray:
        """Tell for each row whether its interval rests on a wider cell than its own."""
        merged = np.array([cell not in self.cells for cell in context.cells], dtype=np.bool_)
        return merged[context.codes]

    def resolve_cell(self, cell: MondrianCell) -> MondrianCell:
        """Return the narrowest cell with residuals that holds `cell`."""
        return next(one for one in ancestors(cell) if one in self.cells)

    def _quantile(self, cell: MondrianCell, coverage: float) -> float:
        evidence, market = cell
        every = EVIDENCE_AMOUNTS if evidence == OwnEvidence.NONE else (evidence,)
        return max(self.cells[self.resolve_cell((one, market))].quantile(coverage) for one in every)


def fit_residuals(
    estimate: FloatArray,
    outcome: FloatArray,
    context: IntervalContext,
    *,
    difficulty: DifficultyEstimate,
    listings: IntArray,
) -> ConformalResiduals:
    """Learn residuals from calibration rows that no model was fitted on, shape (rows,) each.

    `listings` says by any numbers which rows are of one listing; how many rows one has doesn't
    matter to which cells are merged.
    """
    residuals = (outcome - estimate) / difficulty.sigma(estimate, context.exposure)
    counts = _count_listings(context, listings)
    large = [cell for cell, count in counts.items() if count >= MIN_CELL_LISTINGS and cell != ROOT]
    by_size = sorted(large, key=lambda cell: (-counts[cell], len(cell), cell))
    return ConformalResiduals(
        difficulty,
        {
            cell: CellResiduals.from_residuals(residuals[_is_in_cell(cell, context)])
            for cell in (ROOT, *by_size[: MAX_CELLS - 1])
        },
    )


def _count_listings(context: IntervalContext, listings: IntArray) -> dict[MondrianCell, int]:
    """Count the listings of each cell; one that changed cells counts in each of them."""
    held: dict[MondrianCell, set[int]] = {}
    for code in np.unique(context.codes).tolist():
        own = set(listings[context.codes == code].tolist())
        for cell in ancestors(context.cells[code]):
            held.setdefault(cell, set()).update(own)
    return {cell: len(found) for cell, found in held.items()}


def _is_in_cell(cell: MondrianCell, context: IntervalContext) -> BoolArray:
    """Tell which rows lie in a cell or below it."""
    within = np.array([cell in ancestors(one) for one in context.cells], dtype=np.bool_)
    return within[context.codes]
