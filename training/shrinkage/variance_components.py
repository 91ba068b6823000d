"""Fit variance components of nested groups by restricted maximum likelihood, to shrink shares.

A row's share varies around the rate of its narrowest group, that rate around the rate of the next
wider group, and so on up to the overall mean. Each difference has a variance, as in a nested
random-effects model (Searle, Casella and McCulloch 1992, "Variance components", ch. 6): the normal
approximation to the beta-binomial hierarchy, whose rows vary by `trial / trials + row`. Groups
count inside a wider one by the precision of their means, so that one big category doesn't decide
the rate of its department, which predicts unseen categories. Sums are numpy's, never BLAS's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.optimize import minimize

from features.runtime.arrays import FloatArray, IntArray
from training.shrinkage.pooling_fit import smoothed_mean

_MIN_VARIANCE: Final = 1e-5
_MAX_VARIANCE: Final = 10.0
"""Bounds of the search, in units of the labels' variance."""

SHARE_OF_TRIALS: Final = 0.25
"""Share of the trials in the geometric mean of evidence and trials that weighs a row in a fit."""


@dataclass(frozen=True)
class Variances:
    """The variances of shares: of a trial, of a row, and of the groups of each level."""

    trial: float
    row: float
    groups: tuple[float, ...]
    """From wide to narrow."""

    def row_variance(self, trials: FloatArray) -> FloatArray:
        """Return the variance of each row's share around its narrowest group's rate."""
        return self.trial / trials + self.row

    def evidence(self, share: FloatArray, trials: FloatArray) -> FloatArray:
        """Return how many independent trials each row is worth, at most `trials`; shape (rows,).

        Rows differ by more than the chance of their trials, so that a thousand trials of one row
        are less evidence than a thousand trials of ten rows.
        """
        mean = smoothed_mean(share, np.ones_like(share))
        independent = mean * (1 - mean) / self.row_variance(trials)
        return np.minimum(independent, trials)

    def explain_rows(
        self, share: FloatArray, predicted: FloatArray, trials: FloatArray
    ) -> Variances:
        """Return the variances without what predictions explain of the differences between rows.

        All arrays have shape (rows,); no prediction may have learned from its own row.
        """
        squares = (share - predicted) ** 2 - self.trial / trials
        return replace(self, row=min(max(float(squares.mean()), 0.0), self.row))

    def fit_weight(self, share: FloatArray, trials: FloatArray) -> FloatArray:
        """Return the weight of each row in a fit, between its evidence and its trials.

        Shape (rows,); the mean is that of the evidence. Evidence counts rows almost equally, trials
        count every unit, and a model should predict both rows and units well
        (docs/decisions/weights-of-rows.md).
        """
        evidence = self.evidence(share, trials)
        weight = evidence ** (1 - SHARE_OF_TRIALS) * trials**SHARE_OF_TRIALS
        return np.asarray(weight * (evidence.mean() / weight.mean()), np.float64)


@dataclass(frozen=True)
class Nesting:
    """The group of each row, and the wider group of each group.

    `parents` goes from wide to narrow. The last array holds the narrowest group of each row, each
    array before it the wider group of each group of the next level. Groups are numbered from 0.
    """

    parents: tuple[IntArray, ...]

    @classmethod
    def from_rows(cls, groups: Sequence[IntArray]) -> Nesting:
        """Return the nesting of rows; `groups` holds their groups at each level, shape (rows,)."""
        if not groups:
            return cls(())
        parents = [groups[-1]]
        for wider, narrower in zip(groups[-2::-1], groups[:0:-1], strict=True):
            firsts = np.unique(narrower, return_index=True)[1]
            parents.append(wider[firsts])
        return cls(tuple(parents[::-1]))


@dataclass(frozen=True)
class CollapsedGroups:
    """Rows summed up by their groups: means and precisions of each level, from wide to narrow."""

    log_likelihood: float
    mean: float
    levels: tuple[tuple[FloatArray, FloatArray], ...]


def collapse(
    nesting: Nesting, share: FloatArray, trials: FloatArray, variances: Variances
) -> CollapsedGroups:
    """Combine rows into groups, and groups into wider ones, weighted by precision.

    The log likelihood is restricted: of the shares around an unknown overall mean.
    """
    values, variance, log_likelihood = share, variances.row_variance(trials), 0.0
    levels: list[tuple[FloatArray, FloatArray]] = []
    narrow_to_wide = zip(nesting.parents[::-1], variances.groups[::-1], strict=True)
    for group, between in narrow_to_wide:
        mean, precision, term = _combine_rows(values, variance, group)
        log_likelihood += term
        levels.append((mean, precision))
        values, variance = mean, between + 1 / precision
    overall, _, term = _combine_rows(values, variance, np.zeros(values.size, np.int64))
    return CollapsedGroups(log_likelihood + term, float(overall[0]), tuple(levels[::-1]))


def _combine_rows(
    values: FloatArray, variance: FloatArray, group: IntArray
) -> tuple[FloatArray, FloatArray, float]:
    """Return each group's mean and precision, and the log likelihood of values around it."""
    weight = 1 / variance
    precision = np.asarray(np.bincount(group, weight), np.float64)
    mean = np.asarray(np.bincount(group, weight * values) / precision, np.float64)
    misfit = (weight * (values - mean[group]) ** 2).sum()
    logs = np.log(variance).sum() + np.log(precision).sum()
    return mean, precision, -0.5 * float(logs + misfit)


def fit_variances(nesting: Nesting, share: FloatArray, trials: FloatArray) -> Variances:
    """Return the variances with the greatest likelihood; `trials` must be above 0.

    If all trials are equal, the variances of a trial and of a row can't be separated, but only
    their sum matters.
    """
    scale = float(share.var()) or 1.0
    usual = float(np.median(trials))
    start = np.full(2 + len(nesting.parents), scale / 4)
    units = np.concatenate([[usual], np.ones(start.size - 1)])

    def loss(logs: FloatArray) -> float:
        variances = _unpack_variances(np.exp(logs) * units)
        return -collapse(nesting, share, trials, variances).log_likelihood / share.size

    bounds = [(np.log(scale * _MIN_VARIANCE), np.log(scale * _MAX_VARIANCE))] * start.size
    result = minimize(
        loss, np.log(start), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-10}
    )
    return _unpack_variances(np.exp(result.x) * units)


def _unpack_variances(values: FloatArray) -> Variances:
    trial, row, *groups = (float(value) for value in values)
    return Variances(trial, row, tuple(groups))
