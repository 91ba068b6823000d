"""Number the nested groups of rows whose levels are numbered column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import IntArray
from training.nested_rates import Nesting


@dataclass(frozen=True)
class GroupPaths:
    """The groups that were seen: a group is a path of levels, one a column, wide to narrow.

    `keys` holds, for each level, the sorted pairs (wider group, level of the column) that a group
    stands for, folded into one number by `widths`.
    """

    keys: tuple[IntArray, ...]
    widths: tuple[int, ...]

    @classmethod
    def of(cls, codes: IntArray) -> GroupPaths:
        """Learn the groups of rows; `codes` of shape (rows, levels), -1 for a missing level."""
        keys: list[IntArray] = []
        widths = tuple(int(column.max(initial=-1)) + 1 for column in codes.T)
        wider = np.zeros(len(codes), np.int64)
        for column, width in zip(codes.T, widths, strict=True):
            key = _folded(wider, column, width)
            keys.append(np.unique(key[key >= 0]))
            wider = _found(key, keys[-1])
        return cls(tuple(keys), widths)

    def find(self, codes: IntArray) -> list[IntArray]:
        """Return each row's group at each level, wide to narrow, -1 where none was seen.

        A row whose level is missing or unseen is in no group there, nor in a narrower one.
        """
        groups: list[IntArray] = []
        wider = np.zeros(len(codes), np.int64)
        for column, keys, width in zip(codes.T, self.keys, self.widths, strict=True):
            wider = _found(_folded(wider, column, width), keys)
            groups.append(wider)
        return groups

    def nesting(self, codes: IntArray) -> Nesting:
        """Return the nesting of the rows that were learned from.

        A row without a level is a group of its own: it tells of the wider group and of no other
        row's.
        """
        return Nesting.of([_with_own(group) for group in self.find(codes)])


def _folded(wider: IntArray, column: IntArray, width: int) -> IntArray:
    is_known = (wider >= 0) & (column >= 0) & (column < width)
    return np.where(is_known, wider * width + column, -1)


def _found(key: IntArray, keys: IntArray) -> IntArray:
    if keys.size == 0:
        return np.full(key.shape, -1, np.int64)
    place = np.minimum(np.searchsorted(keys, key), keys.size - 1)
    return np.where(keys[place] == key, place, -1)


def _with_own(group: IntArray) -> IntArray:
    is_alone = group < 0
    own = group.max(initial=-1) + 1 + np.arange(int(is_alone.sum()))
    numbered = group.copy()
    numbered[is_alone] = own
    return numbered
