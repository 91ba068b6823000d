"""Columns by name that stand together in matrices, as a look-up finds all those of a level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from features.runtime.arrays import FloatArray


class ColumnStacks(Mapping[str, FloatArray]):
    """Columns of shape (rows,) by name, kept as one matrix of shape (names, rows) for some names.

    A design matrix copies a stack at a time: hundreds of columns one by one take as long as the
    derived features.
    """

    def __init__(self, stacks: Mapping[tuple[str, ...], FloatArray]) -> None:
        self.stacks = stacks

    def beside(self, columns: Mapping[str, FloatArray]) -> ColumnStacks:
        """Return these columns and others, which take the place of any that stood alone."""
        others: dict[tuple[str, ...], FloatArray] = {
            (name,): column[np.newaxis] for name, column in columns.items()
        }
        return ColumnStacks({**self.stacks, **others})

    def __getitem__(self, name: str) -> FloatArray:
        """Return a column as a view of its stack."""
        for names, stack in self.stacks.items():
            if name in names:
                column: FloatArray = stack[names.index(name)]
                return column
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Yield the names, stack by stack."""
        return (name for names in self.stacks for name in names)

    def __len__(self) -> int:
        """Return how many columns there are."""
        return sum(map(len, self.stacks))
