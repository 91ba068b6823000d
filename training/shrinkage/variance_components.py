"""Shrink shares along nested groups; how strongly is learned by restricted maximum likelihood.

A row's share varies around its narrowest group's rate, that around the next wider group's, and so
on up to the overall mean. Each difference has a variance, learned as in a nested random-effects
model (Searle, Casella and McCulloch 1992, "Variance components", ch. 6): the normal approximation
to the beta-binomial hierarchy, whose rows vary by `trial / trials + row`. Groups count inside a
wider one by how much each tells of it, so that one big category doesn't speak for its department;
that is what an unseen category needs. Sums are numpy's, never BLAS's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

from features.runtime.arrays import FloatArray, IntArray
from training.shrinkage.pooling_fit import smoothed_mean

_MIN_VARIANCE: Final = 1e-5
_MAX_VARIANCE: Final = 10.0
"""Bounds of the search, in units of the labels' own variance."""


@dataclass(frozen=True)
class Variances:
    """How much shares differ, and from what: a trial, a row, or a group of each level."""

    trial: float
    row: float
    groups: tuple[float, ...]
    """From wide to narrow."""

    def row_variance(self, trials: FloatArray) -> FloatArray:
        """Return the variance of each row's share around its narrowest group's rate."""
        return self.trial / trials + self.row

    def evidence(self, share: FloatArray, trials: FloatArray) -> FloatArray:
        """Return how many independent trials each row is worth, `trials` at the most.

        Rows differ by more than the chance of their trials, so a thousand trials of one row tell
        less than a thousand of ten.
        """
        mean = smoothed_mean(share, np.ones_like(share))
        worth = mean * (1 - mean) / self.row_variance(trials)
        return np.minimum(worth, trials)


@dataclass(frozen=True)
class Nesting:
    """Which group each row is in, and which wider group each group is in.

    `parents` goes from wide to narrow: the last one holds the narrowest group of each row, each
    one before it the wider group of each group of the next. Groups are numbered from 0.
    """

    parents: tuple[IntArray, ...]

    @classmethod
    def from_rows(cls, groups: Sequence[IntArray]) -> Nesting:
        """Return the nesting of rows whose groups are given for each level, shape (rows,) each."""
        if not groups:
            return cls(())
        parents = [groups[-1]]
        for wider, narrower in zip(groups[-2::-1], groups[:0:-1], strict=True):
            firsts = np.unique(narrower, return_index=True)[1]
            parents.append(wider[firsts])
        return cls(tuple(parents[::-1]))


@dataclass(frozen=True)
class CollapsedGroups:
    """All rows told by their groups: per level, from wide to narrow, means and precisions."""

    log_likelihood: float
    mean: float
    levels: tuple[tuple[FloatArray, FloatArray], ...]


def collapse(
    nesting: Nesting, share: FloatArray, trials: FloatArray, variances: Variances
) -> CollapsedGroups:
    """Sum rows up into groups, and groups into wider ones, each by its precision.

    The likelihood is the restricted one: that of the shares around an unknown overall mean.
    """
    values, variance, log_likelihood = share, variances.row_variance(trials), 0.0
    levels: list[tuple[FloatArray, FloatArray]] = []
    narrow_to_wide = zip(nesting.parents[::-1], variances.groups[::-1], strict=True)
    for group, between in narrow_to_wide:
        mean, precision, gained = _combine_rows(values, variance, group)
        log_likelihood += gained
        levels.append((mean, precision))
        values, variance = mean, between + 1 / precision
    overall, _, gained = _combine_rows(values, variance, np.zeros(values.size, np.int64))
    return CollapsedGroups(log_likelihood + gained, float(overall[0]), tuple(levels[::-1]))


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
    """Return the variances under which the shares are likeliest; `trials` > 0, not all equal.

    Where all trials are equal, those of a trial and of a row can't be told apart; only their sum
    is then learned, which is all that matters.
    """
    scale = float(share.var()) or 1.0
    usual = float(np.median(trials))
    start = np.full(2 + len(nesting.parents), scale / 4)
    units = np.concatenate([[usual], np.ones(start.size - 1)])

    def loss(logs: FloatArray) -> float:
        variances = _unpack_variances(np.exp(logs) * units)
        return -collapse(nesting, share, trials, variances).log_likelihood / share.size

    bounds = [(np.log(scale * _MIN_VARIANCE), np.log(scale * _MAX_VARIANCE))] * start.size
    found = minimize(loss, np.log(start), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-10})
    return _unpack_variances(np.exp(found.x) * units)


def _unpack_variances(values: FloatArray) -> Variances:
    trial, row, *groups = (float(value) for value in values)
    return Variances(trial, row, tuple(groups))
