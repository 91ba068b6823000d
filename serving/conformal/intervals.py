"""Split-conformal intervals around a share, measured in the difficulty of its estimate.

The residual of a calibration row is `(outcome - estimate) / sigma`. The interval of coverage C
extends to the residual of rank (n+1)C by size. It covers a new, exchangeable outcome with
probability at least C, whatever the model (Vovk, Gammerman and Shafer 2005, "Algorithmic learning
in a random world"; Lei et al. 2018, "Distribution-free predictive inference for regression"). One
set of residuals a cell is the Mondrian form (serving/conformal/cell_residuals.py).

An interval is about the share that will be *realised* among the expected units, not about the
probability behind it: of three units none or one comes back, whatever the risk. Few units widen it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import FloatArray
from serving.conformal.cell_residuals import MondrianResiduals
from serving.conformal.cells import IntervalContext
from serving.conformal.difficulty import DifficultyEstimate


@dataclass(frozen=True)
class ConformalResiduals(MondrianResiduals):
    """The residuals of shares by cell, and the difficulty that scales them."""

    difficulty: DifficultyEstimate

    def interval(
        self, estimate: FloatArray, context: IntervalContext, *, coverage: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high with low <= estimate <= high, within [0, 1], shape (rows,)."""
        sigma = self.difficulty.sigma(estimate, context.exposure)
        width = self.quantiles(context, coverage) * sigma
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
