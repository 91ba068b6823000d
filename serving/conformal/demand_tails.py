"""Conformal intervals of the units sold, by how far out in the demand's distribution they fall.

The residual of a calibration row is 1 minus the tail probability of what was sold. The interval of
coverage C holds all units whose residual is at most the one of rank (n+1)C. So the distribution
need not be right, only right in its order, for the interval to cover a new, exchangeable outcome
with probability at least C (Chernozhukov, Wüthrich and Zhu 2021, "Distributional conformal
prediction").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import FloatArray
from serving.conformal.cell_residuals import MondrianResiduals
from serving.conformal.cells import IntervalContext
from serving.demand.lot_demand import LotDemand
from serving.errors import BrokenFileError


@dataclass(frozen=True)
class DemandTails(MondrianResiduals):
    """How far out the units sold fell, by cell: 1 minus each tail, from 0 to 1."""

    def __post_init__(self) -> None:
        """Check the cells and their values.

        Raises:
            BrokenFileError: they can't be tails.
        """
        super().__post_init__()
        if any(cell.values[0] < 0 or cell.values[-1] > 1 for cell in self.cells.values()):
            raise BrokenFileError("conformal.json", "a tail outside [0, 1]")

    def interval(
        self, demand: LotDemand, context: IntervalContext, *, coverage: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high shares around the expected share, within [0, 1], shape (rows,)."""
        return demand.interval(np.maximum(1.0 - self.quantiles(context, coverage), 0.0))
