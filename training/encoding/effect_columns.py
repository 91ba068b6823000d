"""Turn a table into columns of codes, of which each has effects of its own.

Categories are columns as they are; along the path of groups a column counts inside the wider ones.
Numbers are cut into ranges of about equally many rows, except those with a monotone constraint,
which the effects of ranges would break.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from features.runtime.arrays import FloatArray, IntArray
from training.encoding.input_table import InputTable
from training.shrinkage.group_rates import GroupPaths

RANGES: Final = 16
MISSING_CODE: Final = -1


@dataclass(frozen=True)
class EffectColumns:
    """The columns of fit: groups of the path, other categories, and numbers by their limits."""

    path: tuple[int, ...]
    groups: GroupPaths
    others: tuple[int, ...]
    limits: tuple[tuple[int, FloatArray], ...]
    """The column and the limits of its ranges, for each column of numbers."""

    @classmethod
    def fit(cls, table: InputTable, path: tuple[int, ...], monotone: Sequence[int]) -> Self:
        """Learn the groups and the ranges from the rows of fit."""
        others = tuple(i for i in range(table.codes.shape[1]) if i not in path)
        limits = tuple(
            (number, _find_limits(column))
            for number, (column, sign) in enumerate(zip(table.numbers.T, monotone, strict=True))
            if sign == 0
        )
        return cls(path, GroupPaths.from_rows(table.codes[:, path]), others, limits)

    def encode(self, table: InputTable) -> IntArray:
        """Return the codes of rows, shape (rows, columns), -1 where missing or unseen."""
        groups = self.groups.find(table.codes[:, self.path])
        categories = [table.codes[:, column] for column in self.others]
        ranges = [_find_range(table.numbers[:, number], ends) for number, ends in self.limits]
        columns = [*groups, *categories, *ranges]
        return np.column_stack(columns) if columns else np.empty((len(table.codes), 0), np.int64)

    @property
    def category_count(self) -> int:
        """Return how many of the first columns are categories."""
        return len(self.path) + len(self.others)


def _find_limits(column: FloatArray) -> FloatArray:
    known = column[~np.isnan(column)]
    if not known.size:
        return np.empty(0)
    return np.unique(np.quantile(known, np.linspace(0, 1, RANGES + 1)[1:-1]))


def _find_range(column: FloatArray, limits: FloatArray) -> IntArray:
    return np.where(np.isnan(column), MISSING_CODE, np.searchsorted(limits, column))
