"""Columns by name that stand together in matrices, as a look-up finds all those of a level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from features.runtime.arrays import FloatArray


class ColumnBlocks(Mapping[str, FloatArray]):
    """Columns of shape (rows,) by name, kept as one matrix of shape (names, rows) for some names.

    A design matrix copies a stack at a time: hundreds of columns one by one take as long as the
    derived features.
    """

    def __init__(self, blocks: Mapping[tuple[str, ...], FloatArray]) -> None:
        self.blocks = blocks

    def with_columns(self, columns: Mapping[str, FloatArray]) -> ColumnBlocks:
        """Return these columns and others, which take the place of any that stood alone."""
        others: dict[tuple[str, ...], FloatArray] = {
            (name,): column[np.newaxis] for name, column in columns.items()
        }
        return ColumnBlocks({**self.blocks, **others})

    def __getitem__(self, name: str) -> FloatArray:
        """Return a column as a view of its stack."""
        for names, block in self.blocks.items():
            if name in names:
                column: FloatArray = block[names.index(name)]
                return column
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Yield the names, stack by stack."""
        return (name for names in self.blocks for name in names)

    def __len__(self) -> int:
        """Return how many columns there are."""
        return sum(map(len, self.blocks))
