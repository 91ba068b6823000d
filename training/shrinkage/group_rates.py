"""Shrunken rates of nested groups: fit them once, look them up for rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from training.shrinkage.variance_components import (
    CollapsedGroups,
    Nesting,
    Variances,
    collapse,
    fit_variances,
)


@dataclass(frozen=True)
class GroupPaths:
    """The groups of fit; a group is a path of values, one a column, from wide to narrow.

    `keys` holds the sorted groups of each level: pairs (wider group, value of the column), folded
    into one number by `widths`.
    """

    keys: tuple[IntArray, ...]
    widths: tuple[int, ...]

    @classmethod
    def from_rows(cls, codes: IntArray) -> GroupPaths:
        """Collect the groups of rows; `codes` has shape (rows, levels), -1 where missing."""
        keys: list[IntArray] = []
        widths = tuple(int(column.max(initial=-1)) + 1 for column in codes.T)
        wider = np.zeros(len(codes), np.int64)
        for column, width in zip(codes.T, widths, strict=True):
            key = _fold_keys(wider, column, width)
            keys.append(np.unique(key[key >= 0]))
            wider = _find_keys(key, keys[-1])
        return cls(tuple(keys), widths)

    def find(self, codes: IntArray) -> list[IntArray]:
        """Return each row's group at each level, from wide to narrow, -1 if unseen.

        A row with a missing or unseen value is in no group at that level, nor at a narrower one.
        """
        groups: list[IntArray] = []
        wider = np.zeros(len(codes), np.int64)
        for column, keys, width in zip(codes.T, self.keys, self.widths, strict=True):
            wider = _find_keys(_fold_keys(wider, column, width), keys)
            groups.append(wider)
        return groups

    def nesting(self, codes: IntArray) -> Nesting:
        """Return the nesting of the rows of fit.

        A row without a group is a group of its own: it is evidence about the wider group only.
        """
        return Nesting.from_rows([_assign_own_groups(group) for group in self.find(codes)])


def _fold_keys(wider: IntArray, column: IntArray, width: int) -> IntArray:
    is_known = (wider >= 0) & (column >= 0) & (column < width)
    return np.where(is_known, wider * width + column, -1)


def _find_keys(key: IntArray, keys: IntArray) -> IntArray:
    if keys.size == 0:
        return np.full(key.shape, -1, np.int64)
    index = np.minimum(np.searchsorted(keys, key), keys.size - 1)
    return np.where(keys[index] == key, index, -1)


def _assign_own_groups(group: IntArray) -> IntArray:
    is_alone = group < 0
    own = group.max(initial=-1) + 1 + np.arange(int(is_alone.sum()))
    numbered = group.copy()
    numbered[is_alone] = own
    return numbered


@dataclass(frozen=True)
class GroupEvidence:
    """The rates of rows at each level, from wide to narrow, and how much evidence they have.

    Both arrays have shape (rows, levels). `own_weight` is the weight of the group's own rows in its
    rate. It is 0 if the group is unseen; the rate is then that of the wider level.
    """

    rate: FloatArray
    own_weight: FloatArray
    estimate: FloatArray
    """The narrowest rate, shape (rows,)."""

    @property
    def is_cold(self) -> BoolArray:
        """Return True for rows whose narrowest group is unseen; False if there are no levels."""
        return np.asarray((self.own_weight[:, -1:] == 0).any(axis=1))


@dataclass(frozen=True)
class ShrunkenRates:
    """The rates of all groups of a path of columns, shrunk from wide to narrow."""

    paths: GroupPaths
    variances: Variances
    collapsed: CollapsedGroups

    @classmethod
    def fit(
        cls,
        codes: IntArray,
        share: FloatArray,
        trials: FloatArray,
        *,
        variances: Variances | None = None,
    ) -> ShrunkenRates:
        """Fit rates to rows: `codes` of shape (rows, levels), the others (rows,), trials > 0.

        `variances` of more rows may be given; otherwise they are fitted to these rows.
        """
        paths = GroupPaths.from_rows(codes)
        nesting = paths.nesting(codes)
        known = variances or fit_variances(nesting, share, trials)
        return cls(paths, known, collapse(nesting, share, trials, known))

    def look_up(self, codes: IntArray) -> GroupEvidence:
        """Look up the rates of rows, whose `codes` have shape (rows, levels)."""
        estimate = np.full(len(codes), self.collapsed.mean)
        rates, weights = [], []
        levels = zip(
            self.paths.find(codes), self.collapsed.levels, self.variances.groups, strict=True
        )
        for group, (mean, precision), between in levels:
            is_seen = group >= 0
            evidence = np.where(is_seen, precision[group] * between, 0.0)
            own = evidence / (evidence + 1)
            estimate = own * np.where(is_seen, mean[group], 0.0) + (1 - own) * estimate
            rates.append(estimate)
            weights.append(own)
        shape = (len(codes), len(rates))
        return GroupEvidence(
            np.array(rates).T.reshape(shape), np.array(weights).T.reshape(shape), estimate
        )
