"""Shrunken rates of the groups of one path of columns: learn them once, look them up for rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from training.group_paths import GroupPaths
from training.nested_rates import Collapsed, Variances, collapse, learn_variances


@dataclass(frozen=True)
class Evidence:
    """What groups say of rows: at each level, wide to narrow, the rate and its own weight.

    Both of shape (rows, levels). `own_weight` is the weight of the level's own rows in its rate,
    0 where the row's level wasn't seen: the rate is then the wider level's.
    """

    rate: FloatArray
    own_weight: FloatArray
    estimate: FloatArray
    """The narrowest rate, shape (rows,)."""

    @property
    def is_cold(self) -> BoolArray:
        """Tell which rows' narrowest group wasn't seen; none if there are no levels."""
        return np.asarray((self.own_weight[:, -1:] == 0).any(axis=1))


@dataclass(frozen=True)
class ShrunkenRates:
    """The rates of all groups of a path of columns, shrunk from wide to narrow."""

    paths: GroupPaths
    variances: Variances
    collapsed: Collapsed

    @classmethod
    def learn(
        cls,
        codes: IntArray,
        share: FloatArray,
        trials: FloatArray,
        *,
        variances: Variances | None = None,
    ) -> ShrunkenRates:
        """Learn from rows: `codes` of shape (rows, levels), the others (rows,), trials > 0.

        Variances that were learned on more rows may be given; the rates are then those rows' own.
        """
        paths = GroupPaths.of(codes)
        nesting = paths.nesting(codes)
        known = variances or learn_variances(nesting, share, trials)
        return cls(paths, known, collapse(nesting, share, trials, known))

    def evidence(self, codes: IntArray) -> Evidence:
        """Look up what the groups say of rows."""
        estimate = np.full(len(codes), self.collapsed.mean)
        rates, weights = [], []
        levels = zip(
            self.paths.find(codes), self.collapsed.levels, self.variances.groups, strict=True
        )
        for group, (mean, precision), between in levels:
            is_seen = group >= 0
            told = np.where(is_seen, precision[group] * between, 0.0)
            own = told / (told + 1)
            estimate = own * np.where(is_seen, mean[group], 0.0) + (1 - own) * estimate
            rates.append(estimate)
            weights.append(own)
        shape = (len(codes), len(rates))
        return Evidence(
            np.array(rates).T.reshape(shape), np.array(weights).T.reshape(shape), estimate
        )
