"""The residuals of Mondrian cells that merge upward if they are small.

The weekly rows of a listing have similar outcomes, so that listings are exchangeable rather than
rows, and the number of listings decides how well a cell's residuals are known (Dunn, Wasserman and
Ramdas 2023, "Distribution-free prediction sets for two-layer hierarchical models"). Within a cell
each row still counts once. Why rows aren't weighted by the size of their listing, as in
hierarchical conformal prediction: docs/decisions/rows-of-a-listing.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.cells import (
    EVIDENCE_AMOUNTS,
    ROOT,
    IntervalContext,
    MondrianCell,
    OwnEvidence,
    ancestors,
)
from serving.errors import BrokenFileError

MAX_STORED: Final = 1001
"""Most residuals stored a cell; quantiles are then at most 0.003 too high, never too low."""

MAX_CELLS: Final = 256
"""Most cells with residuals of their own, the largest, so that a bundle stays bounded."""


@dataclass(frozen=True)
class CellResiduals:
    """The residuals of a cell: sorted and thinned to `MAX_STORED`, with their full number."""

    values: FloatArray
    count: int

    def __post_init__(self) -> None:
        """Check order and count.

        Raises:
            BrokenFileError: the values can't be sorted residuals.
        """
        stored = self.values.size
        faults = {
            "no residuals": self.values.ndim != 1 or stored == 0,
            "a residual that isn't finite": not np.isfinite(self.values).all(),
            "residuals out of order": bool((np.diff(self.values) < 0).any()),
            "a wrong count": stored != min(self.count, MAX_STORED),
        }
        for fault, is_present in faults.items():
            if is_present:
                raise BrokenFileError("conformal.json", fault)

    @classmethod
    def from_residuals(cls, residuals: FloatArray) -> CellResiduals:
        """Sort and thin the residuals of all calibration rows of a cell."""
        ordered = np.sort(residuals)
        return cls(ordered[_thin_positions(ordered.size)], int(ordered.size))

    def quantile(self, coverage: float) -> float:
        """Return the distance from 0 that a residual exceeds with probability 1 - `coverage`.

        That is the residual of rank (n+1) x coverage by size, or the next stored one above it.
        Infinite if the cell has too few rows for that coverage.
        """
        rank = math.ceil((self.count + 1) * coverage)
        if rank > self.count:
            return math.inf
        stored = self.values.size
        if stored < self.count:  # k stored in a row span at least (k-1)(n-1)/(stored-1) residuals
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
def _thin_positions(count: int) -> IntArray:
    """Return the positions of the stored ones among `count` sorted residuals."""
    positions = np.linspace(0, count - 1, min(count, MAX_STORED)).round().astype(np.int64)
    positions.flags.writeable = False
    return positions


@dataclass(frozen=True)
class MondrianResiduals:
    """The residuals of all cells with enough listings."""

    cells: Mapping[MondrianCell, CellResiduals]
    """By path; holds the cell of all rows, and the parent of every other cell."""

    def __post_init__(self) -> None:
        """Check that the cells are a tree.

        Raises:
            BrokenFileError: they aren't.
        """
        faults = {
            "no cell of all rows": ROOT not in self.cells,
            f"more than {MAX_CELLS} cells": len(self.cells) > MAX_CELLS,
            "a cell of no such evidence": not {c[0] for c in self.cells if c}
            <= set(EVIDENCE_AMOUNTS),
            "a cell too deep": any(len(cell) > 2 for cell in self.cells),  # noqa: PLR2004 - market
            "a cell without its parent": not {c[:-1] for c in self.cells} <= set(self.cells),
        }
        for fault, is_present in faults.items():
            if is_present:
                raise BrokenFileError("conformal.json", fault)

    def quantiles(self, context: IntervalContext, coverage: float) -> FloatArray:
        """Return the distance that each row's residual exceeds with probability 1 - `coverage`.

        A cold start gets the largest distance of its market. Its interval covers at least as often
        as that of its own cell, and is never narrower than that of a listing with a history.
        """
        by_cell = np.array([self._quantile(cell, coverage) for cell in context.cells])
        return np.asarray(by_cell[context.codes], np.float64)

    def is_merged(self, context: IntervalContext) -> BoolArray:
        """Return True for rows whose interval uses a wider cell than their own, shape (rows,)."""
        merged = np.array([cell not in self.cells for cell in context.cells], dtype=np.bool_)
        return merged[context.codes]

    def resolve_cell(self, cell: MondrianCell) -> MondrianCell:
        """Return the narrowest cell with residuals that contains `cell`."""
        return next(wider for wider in ancestors(cell) if wider in self.cells)

    def _quantile(self, cell: MondrianCell, coverage: float) -> float:
        evidence, market = cell
        amounts = EVIDENCE_AMOUNTS if evidence == OwnEvidence.NONE else (evidence,)
        return max(
            self.cells[self.resolve_cell((amount, market))].quantile(coverage) for amount in amounts
        )
