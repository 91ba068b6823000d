"""Estimate the effects of several columns of categories on the log odds of a share, all at once.

A level's effect is normal around 0, with a variance of its column: a mixed logistic model with
crossed random effects. Effects are fitted one column at a time, by a penalised Newton step for all
levels (backfitting), and variances by the usual EM step of that approximation (Breslow and Clayton
1993, "Approximate inference in generalized linear mixed models"). Columns that share their
information share it fairly, where a mean per level counts it in each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy.special import expit, logit

from features.runtime.arrays import FloatArray, IntArray
from training.shrinkage.pooling_fit import smoothed_mean

SWEEPS: Final = 12
FIRST_VARIANCE: Final = 0.1
MIN_VARIANCE: Final = 1e-4
MAX_STEP: Final = 4.0
"""Effects change by at most this much in one step, since a Newton step may go too far."""
MIN_CURVATURE: Final = 1e-12


@dataclass(frozen=True)
class CrossedEffects:
    """The effects on log odds; a column's array is indexed by code + 1, and its first is 0."""

    intercept: float
    effects: tuple[FloatArray, ...]

    @classmethod
    def fit(cls, codes: IntArray, share: FloatArray, weight: FloatArray) -> Self:
        """Fit rows; `codes` has shape (rows, columns), -1 where missing, the others (rows,).

        `weight` is the number of independent trials behind each share.
        """
        mean = smoothed_mean(share, weight)
        fit = _Backfitting(share, weight, np.full(share.size, logit(mean)))
        columns = [_Column.start(column + 1) for column in codes.T]
        intercept = float(logit(mean))
        for _ in range(SWEEPS if columns else 0):
            columns = [fit.step(column) for column in columns]
            intercept += fit.shift()
        return cls(intercept, tuple(column.effect for column in columns))

    def look_up(self, codes: IntArray) -> FloatArray:
        """Return the effect of each row's levels, 0 where unseen; shape (rows, columns)."""
        found = np.zeros(codes.shape)
        for number, effects in enumerate(self.effects):
            index = codes[:, number] + 1
            found[:, number] = effects[np.where(index < effects.size, index, 0)]
        return found

    def log_odds(self, looked_up: FloatArray) -> FloatArray:
        """Return the log odds of rows whose effects were looked up, shape (rows,)."""
        return np.asarray(self.intercept + looked_up.sum(axis=1), np.float64)


@dataclass(frozen=True)
class _Column:
    """A column's levels of rows, from 1, 0 where missing; its effects and their variance."""

    level: IntArray
    effect: FloatArray
    variance: float

    @classmethod
    def start(cls, level: IntArray) -> Self:
        return cls(level, np.zeros(int(level.max(initial=0)) + 1), FIRST_VARIANCE)


@dataclass
class _Backfitting:
    """Rows whose log odds follow each step; all arrays have shape (rows,)."""

    share: FloatArray
    weight: FloatArray
    odds: FloatArray

    def step(self, column: _Column) -> _Column:
        """Return a column with its next effects and variance."""
        slopes, curvatures = self._derivatives()
        size = column.effect.size
        precision = 1 / column.variance
        slope = np.bincount(column.level, slopes, size) - precision * column.effect
        curvature = np.bincount(column.level, curvatures, size) + precision
        effect = column.effect + np.clip(slope / curvature, -MAX_STEP, MAX_STEP)
        effect[0] = 0.0
        self.odds = self.odds + (effect - column.effect)[column.level]
        is_seen = np.bincount(column.level, minlength=size) > 0
        is_seen[0] = False
        if not is_seen.any():
            return column
        spread = float((effect[is_seen] ** 2 + 1 / curvature[is_seen]).mean())
        return _Column(column.level, effect, max(spread, MIN_VARIANCE))

    def shift(self) -> float:
        """Move the log odds of all rows by a Newton step, and return the step."""
        slopes, curvatures = self._derivatives()
        step = float(slopes.sum() / max(float(curvatures.sum()), MIN_CURVATURE))
        bounded = min(max(step, -MAX_STEP), MAX_STEP)
        self.odds = self.odds + bounded
        return bounded

    def _derivatives(self) -> tuple[FloatArray, FloatArray]:
        probability = expit(self.odds)
        curvatures = self.weight * probability * (1 - probability)
        return self.weight * (self.share - probability), curvatures
