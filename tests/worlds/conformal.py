"""Exchangeable rows in markets and levels of own evidence, predicted worst where least is known.

Beside them, rows of a demand that are picked by their positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import FloatArray, IntArray
from serving.conformal.cells import EVIDENCE_AMOUNTS, IntervalContext, leaf_cells
from serving.conformal.difficulty import DifficultyEstimate
from serving.conformal.intervals import ConformalResiduals
from serving.demand.lot_demand import LotDemand
from training.calibration.residuals import fit_residuals

MARKETS = ("DE", "GB", "US")
LASTING = 0.3
_SHARES, _UNITS = (1 - np.cos(np.pi * np.arange(33) / 32)) / 2, np.array([1.0, 4.0, 16.0, 64.0])
DIFFICULTY = DifficultyEstimate(
    _SHARES,
    np.sqrt(_SHARES * (1 - _SHARES) + 0.01),
    _UNITS,
    np.sqrt(LASTING + (1 - LASTING) / _UNITS),
)
"""That of shares of so many units, of which a part lasts however many there are."""


@dataclass(frozen=True)
class Rows:
    estimate: FloatArray
    outcome: FloatArray
    context: IntervalContext


def draw(rng: np.random.Generator, rows: int) -> Rows:
    """Draw true shares of few units, and estimates that miss them, more so of cold starts."""
    market = rng.choice(len(MARKETS), rows, p=[0.35, 0.3, 0.35])
    evidence = rng.choice(len(EVIDENCE_AMOUNTS), rows, p=[0.3, 0.4, 0.3])
    truth = rng.beta(2, 5, rows)
    noise = np.array([0.2, 0.1, 0.03])[evidence] * np.array([1.0, 2.0, 0.7])[market]
    exposure = rng.integers(1, 60, rows)
    return Rows(
        np.clip(truth + rng.normal(0, noise), 0, 1),
        rng.binomial(exposure, truth) / exposure,
        IntervalContext(
            market * len(EVIDENCE_AMOUNTS) + evidence,
            leaf_cells(MARKETS),
            exposure.astype(np.float64),
        ),
    )


def learn(rows: Rows, listings: IntArray | None = None) -> ConformalResiduals:
    """Fit residuals to rows; each is of a listing of its own unless `listings` are given."""
    known = np.arange(rows.estimate.size) if listings is None else listings
    return fit_residuals(
        rows.estimate, rows.outcome, rows.context, difficulty=DIFFICULTY, listings=known
    )


def pick(demand: LotDemand, rows: IntArray) -> LotDemand:
    """Return the rows at some positions, in their order."""
    chance = np.broadcast_to(demand.chance, demand.demand.shape)[rows]
    return LotDemand(
        demand.demand[rows], demand.lot[rows], demand.order_size[rows], demand.sharpness, chance
    )
