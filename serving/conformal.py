"""Split-conformal intervals around a share, in cells with and without own history.

The signed residual of a calibration row is `(outcome - estimate) / spread(estimate)`. The interval
at level L uses the residuals of rank (n+1)(1-L)/2 and (n+1)(1+L)/2, so that it covers a new,
exchangeable outcome with probability of at least L, whatever the model (Vovk, Gammerman and Shafer
2005, "Algorithmic learning in a random world"; Lei et al. 2018, "Distribution-free predictive
inference for regression"). One set of residuals a cell is the Mondrian form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from features.declarations import FloatArray
from serving.artefact_errors import BrokenFileError
from serving.cells import BoolArray

MOST_STORED: Final = 1001
"""Residuals kept a cell: quantiles are then off by at most a thousandth, to the safe side."""

LEAST_CELL_ROWS: Final = 200
"""A cell with fewer rows is merged: a 95 % interval would rest on fewer than five of them."""


class Cell(StrEnum):
    """Which calibration rows an interval rests on."""

    WARM = "warm"
    COLD = "cold"
    MERGED = "merged"


def spread(estimate: FloatArray) -> FloatArray:
    """Return the scale of a residual: a share near 0 or 1 varies less than one in the middle.

    The 0.01 keeps it positive; with it, `(threshold - estimate) / spread(estimate)` falls as the
    estimate grows, so that intervals and probabilities are monotone in the estimate.
    """
    return np.sqrt(estimate * (1 - estimate) + 0.01)


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

    def bounds(self, level: float) -> tuple[float, float]:
        """Return the lower and upper residual of the interval at `level`, 0 between them.

        Infinite where the cell has too few rows for the level: then nothing is ruled out.
        """
        rank = math.ceil((self.count + 1) * (1 + level) / 2)
        if rank > self.count:
            return -math.inf, math.inf
        kept = _kept(self.count)
        upper = self.values[np.searchsorted(kept, rank - 1, side="left")]
        lower = self.values[np.searchsorted(kept, self.count - rank, side="right") - 1]
        return min(float(lower), 0.0), max(float(upper), 0.0)

    def share_at_least(self, residual: FloatArray) -> FloatArray:
        """Return the share of residuals at or above each value, never quite 0 or 1."""
        below = np.searchsorted(self.values, residual, side="left") / self.values.size
        return ((1 - below) * self.count + 0.5) / (self.count + 1)


@cache
def _kept(count: int) -> npt.NDArray[np.int64]:
    """Return the positions, among `count` sorted residuals, of those that are stored."""
    positions = np.linspace(0, count - 1, min(count, MOST_STORED)).round().astype(np.int64)
    positions.flags.writeable = False
    return positions


@dataclass(frozen=True)
class ConformalResiduals:
    """The residuals of each cell: WARM and COLD, or MERGED alone where one of them was small."""

    cells: Mapping[Cell, CellResiduals]

    def __post_init__(self) -> None:
        """Refuse any other set of cells."""
        if set(self.cells) not in ({Cell.WARM, Cell.COLD}, {Cell.MERGED}):
            found = ", ".join(sorted(self.cells)) or "none"
            raise BrokenFileError("conformal residuals", f"cells {found}")

    @property
    def is_merged(self) -> bool:
        """Tell whether cold starts share the residuals of all rows."""
        return Cell.MERGED in self.cells

    def interval(
        self, estimate: FloatArray, is_cold: BoolArray, *, level: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high with low <= estimate <= high, within [0, 1], shape (rows,).

        A cold start gets the hull of both cells' intervals: it covers at least as often as
        its own cell's, and is never narrower than that of a candidate with a history.
        """
        warm = self._cell(Cell.WARM).bounds(level)
        cold = self._cell(Cell.COLD).bounds(level)
        lower = np.where(is_cold, min(warm[0], cold[0]), warm[0])
        upper = np.where(is_cold, max(warm[1], cold[1]), warm[1])
        scale = spread(estimate)
        return np.maximum(estimate + lower * scale, 0.0), np.minimum(estimate + upper * scale, 1.0)

    def prob_at_least(
        self, estimate: FloatArray, is_cold: BoolArray, *, threshold: float
    ) -> FloatArray:
        """Return the probability that the outcome is at least `threshold` (in (0, 1]).

        The share of the cell's residuals at or above the one that the threshold would be: a
        conformal predictive distribution, right over all outcomes together, and at a single
        threshold as right as residuals are alike at all estimates.
        """
        residual = (threshold - estimate) / spread(estimate)
        warm = self._cell(Cell.WARM).share_at_least(residual)
        cold = self._cell(Cell.COLD).share_at_least(residual)
        return np.where(is_cold, cold, warm)

    def _cell(self, cell: Cell) -> CellResiduals:
        return self.cells[Cell.MERGED if self.is_merged else cell]


def learn_residuals(
    estimate: FloatArray, outcome: FloatArray, is_cold: BoolArray
) -> ConformalResiduals:
    """Learn residuals from calibration rows that no model was fitted on, shape (rows,) each."""
    residuals = (outcome - estimate) / spread(estimate)
    if min(int(is_cold.sum()), int((~is_cold).sum())) < LEAST_CELL_ROWS:
        return ConformalResiduals({Cell.MERGED: CellResiduals.of(residuals)})
    return ConformalResiduals(
        {
            Cell.WARM: CellResiduals.of(residuals[~is_cold]),
            Cell.COLD: CellResiduals.of(residuals[is_cold]),
        }
    )
