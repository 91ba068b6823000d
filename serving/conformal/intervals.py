"""Split-conformal intervals around a share, in Mondrian cells that merge upward if they are small.

The residual of a calibration row is `(outcome - estimate) / sigma`. The interval of coverage C
extends to the residual of rank (n+1)C by size. It covers a new, exchangeable outcome with
probability at least C, whatever the model (Vovk, Gammerman and Shafer 2005, "Algorithmic learning
in a random world"; Lei et al. 2018, "Distribution-free predictive inference for regression"). One
set of residuals a cell is the Mondrian form; a cell of few listings uses the residuals of the cell
above it (serving/conformal/cells.py).

The weekly rows of a listing have similar outcomes, so that listings are exchangeable rather than
rows, and the number of listings decides how well a cell's residuals are known (Dunn, Wasserman and
Ramdas 2023, "Distribution-free prediction sets for two-layer hierarchical models"). Within a cell
each row still counts once. Why rows aren't weighted by the size of their listing, as in
hierarchical conformal prediction: docs/decisions/rows-of-a-listing.md.

An interval is about the share that will be *realised* among the expected units, not about the
probability behind it: of three units none or one comes back, whatever the risk. Few units widen it.
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
from serving.conformal.difficulty import DifficultyEstimate
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
class ConformalResiduals:
    """The residuals of all cells with enough listings, and the difficulty that scales them."""

    difficulty: DifficultyEstimate
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

    def interval(
        self, estimate: FloatArray, context: IntervalContext, *, coverage: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high with low <= estimate <= high, within [0, 1], shape (rows,).

        A cold start gets the widest interval of its market at the same estimate and exposure. It
        covers at least as often as the interval of its own cell, and is never narrower than that of
        a listing with a history.
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

        That is the share of the cell's residuals at or above the residual of an outcome at the
        threshold (a conformal predictive distribution). It is right on average over all outcomes;
        at a single threshold it is as right as residuals are alike at all estimates.
        """
        residual = (threshold - estimate) / self.difficulty.sigma(estimate, context.exposure)
        probability = np.empty_like(residual)
        for code in np.unique(context.codes).tolist():
            rows = context.codes == code
            residuals = self.cells[self.resolve_cell(context.cells[code])]
            probability[rows] = residuals.share_at_least(residual[rows])
        return probability

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
