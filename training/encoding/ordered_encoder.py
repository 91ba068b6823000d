"""Encode categories by the means of the rows before each row, in a random order.

Source: Prokhorenkova et al., "CatBoost: unbiased boosting with categorical features", NeurIPS 2018,
section 3.2 (ordered target statistics) and its combinations of categories, here of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final, Self

import numpy as np

from features.runtime.arrays import FloatArray, IntArray
from training.encoding.hidden_levels import hide_levels
from training.encoding.input_table import InputTable
from training.encoding.target_encoder import LabelledRows
from training.portfolio.staged_fit import Inputs
from training.shrinkage.group_rates import GroupPaths
from training.shrinkage.pooling_fit import smoothed_mean

MAX_PAIRS: Final = 8
PRIOR_ROWS: Final = 1.0
"""How many rows of mean weight the overall mean counts as."""
MIN_OFFSET_SHARE: Final = 1e-3


@dataclass(frozen=True)
class OrderedEncoder:
    """The columns and pairs of columns, with the sums of their levels over all rows of fit."""

    columns: tuple[tuple[int, ...], ...]
    levels: tuple[GroupPaths, ...]
    sums: tuple[FloatArray, ...]
    """The weighted sum of shares and the sum of weights of each level, shape (levels, 2)."""
    mean: float

    @classmethod
    def fit(cls, table: InputTable, rows: LabelledRows, weight: FloatArray) -> Self:
        """Sum up all rows; `weight` has mean 1 and shape (rows,)."""
        columns = (*((i,) for i in range(table.codes.shape[1])), *_choose_pairs(table.codes))
        levels = tuple(GroupPaths.from_rows(table.codes[:, names]) for names in columns)
        mean = smoothed_mean(rows.share, weight)
        sums = tuple(
            _sum_levels(found.find(table.codes[:, names])[-1], rows.share, weight)
            for names, found in zip(columns, levels, strict=True)
        )
        return cls(columns, levels, sums, mean)

    def encode(self, table: InputTable) -> Inputs:
        """Encode rows that aren't among those of fit, by all rows of fit."""
        means = [
            self._mean(*np.where(level < 0, 0.0, sums[np.maximum(level, 0)].T))
            for level, sums in zip(self._find_levels(table.codes), self.sums, strict=True)
        ]
        return self._join(table, means)

    def encode_fitted(
        self,
        table: InputTable,
        rows: LabelledRows,
        weight: FloatArray,
        known_share: float,
        rng: np.random.Generator,
    ) -> Inputs:
        """Encode the rows of fit, each by the rows before it, some with a level hidden."""
        hidden = hide_levels(table.codes, known_share, rng)
        order = rng.permutation(len(hidden))
        means = []
        levels = zip(self._find_levels(table.codes), self._find_levels(hidden), strict=True)
        for level, shown in levels:
            before = _sum_earlier(level, rows.share, weight, order)
            means.append(self._mean(*np.where(shown < 0, 0.0, before)))
        return self._join(InputTable(table.numbers, hidden), means)

    def _find_levels(self, codes: IntArray) -> list[IntArray]:
        """Return each row's level of each column and pair, -1 if missing or unseen."""
        pairs = zip(self.columns, self.levels, strict=True)
        return [found.find(codes[:, names])[-1] for names, found in pairs]

    def _mean(self, total: FloatArray, weight: FloatArray) -> FloatArray:
        return np.asarray((total + PRIOR_ROWS * self.mean) / (weight + PRIOR_ROWS), np.float64)

    def _join(self, table: InputTable, means: list[FloatArray]) -> Inputs:
        start = np.clip(self.mean, MIN_OFFSET_SHARE, 1 - MIN_OFFSET_SHARE)
        return Inputs(
            matrix=np.column_stack([table.numbers, *means]),
            offset=np.full(len(table.codes), float(np.log(start / (1 - start)))),
        )


def _choose_pairs(codes: IntArray) -> list[tuple[int, int]]:
    """Return the pairs of columns with the fewest levels, up to `MAX_PAIRS`."""
    sizes = [int(column.max(initial=0)) + 1 for column in codes.T]
    pairs = combinations(range(len(sizes)), 2)
    return sorted(pairs, key=lambda pair: sizes[pair[0]] * sizes[pair[1]])[:MAX_PAIRS]


def _sum_levels(level: IntArray, share: FloatArray, weight: FloatArray) -> FloatArray:
    known, size = level >= 0, int(level.max(initial=0)) + 1
    total = np.bincount(level[known], (weight * share)[known], size)
    return np.column_stack([total, np.bincount(level[known], weight[known], size)])


def _sum_earlier(
    level: IntArray, share: FloatArray, weight: FloatArray, order: IntArray
) -> FloatArray:
    """Return sums over the rows of a row's level that come before it in an order.

    The result has shape (2, rows): weighted shares and weights.
    """
    by_level = order[np.argsort(level[order], kind="stable")]
    starts = np.flatnonzero(np.diff(level[by_level], prepend=-2))
    counts = np.diff(starts, append=len(level))
    sums = np.empty((2, len(level)))
    for number, values in enumerate((weight * share, weight)):
        before = np.cumsum(values[by_level]) - values[by_level]
        sums[number, by_level] = np.maximum(before - np.repeat(before[starts], counts), 0.0)
    return sums
