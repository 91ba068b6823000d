"""Residuals of a cell, measured in their spread (serving/spread.py)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from features.runtime.arrays import FloatArray
from serving.artefact_errors import BrokenFileError

MOST_STORED: Final = 1001
"""Residuals kept a cell: quantiles are then off by at most 3 in a thousand, to the safe side."""


@dataclass(frozen=True)
class CellResiduals:
    """The residuals of a cell: sorted, thinned to `MOST_STORED`, and how many there were."""

    values: FloatArray
    count: int

    def __post_init__(self) -> None:
        """Refuse what can't be sorted residuals."""
        stored = self.values.size
        faults = {
            "no residuals": self.values.ndim != 1 or stored == 0,
            "a residual that isn't finite": not np.isfinite(self.values).all(),
            "residuals out of order": bool((np.diff(self.values) < 0).any()),
            "a wrong count": stored != min(self.count, MOST_STORED),
        }
        for fault, is_found in faults.items():
            if is_found:
                raise BrokenFileError("conformal residuals", fault)

    @classmethod
    def of(cls, residuals: FloatArray) -> CellResiduals:
        """Sort and thin the residuals of all calibration rows of a cell."""
        ordered = np.sort(residuals)
        return cls(ordered[_kept(ordered.size)], int(ordered.size))

    def reach(self, level: float) -> float:
        """Return how far from 0 a residual lies at most with probability `level`.

        The residual of rank (n+1) x level by size, or the next one kept beyond it. Infinite
        where the cell has too few rows for the level: then nothing is ruled out.
        """
        rank = math.ceil((self.count + 1) * level)
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
def _kept(count: int) -> npt.NDArray[np.int64]:
    """Return the positions, among `count` sorted residuals, of those that are stored."""
    positions = np.linspace(0, count - 1, min(count, MOST_STORED)).round().astype(np.int64)
    positions.flags.writeable = False
    return positions
