"""Number the levels of a column of categories; what wasn't seen is missing."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.runtime.arrays import IntArray
from training.column_kinds import kinds_of

MISSING: int = -1
"""The code of a value that is missing or wasn't seen."""


@dataclass(frozen=True)
class CategoryCodes:
    """The levels that were seen, in an order that doesn't depend on the rows' order."""

    levels: pd.Index
    kinds: frozenset[str]
    """What the levels are: numbers, text and so on (training/column_kinds.py)."""

    @classmethod
    def of(cls, column: pd.Series) -> CategoryCodes:
        """Learn the levels of a column of any hashable values."""
        values: list[Hashable] = list(column.dropna().astype(object).unique())
        ordered = sorted(values, key=lambda value: (type(value).__name__, str(value)))
        levels = pd.Index(ordered, dtype=object)
        return cls(levels, kinds_of(levels.to_series()))

    def code(self, column: pd.Series) -> IntArray:
        """Return each value's number, `MISSING` where it has none; shape (rows,).

        Raises:
            TypeError: a value can't be hashed.
        """
        if self.levels.empty:
            return np.full(len(column), MISSING, np.int64)
        found = self.levels.get_indexer(pd.Index(column.astype(object)))
        return np.where(column.isna(), MISSING, found).astype(np.int64)
