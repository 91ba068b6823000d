"""Columns by name, grouped into matrices; a look-up returns the columns of a level as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from features.runtime.arrays import FloatArray


class ColumnBlocks(Mapping[str, FloatArray]):
    """Map names to columns of shape (rows,), stored in blocks of shape (names, rows).

    A design matrix copies one block at a time: copying hundreds of columns one by one takes as
    long as computing the derived features.
    """

    def __init__(self, blocks: Mapping[tuple[str, ...], FloatArray]) -> None:
        self.blocks = blocks

    def with_columns(self, columns: Mapping[str, FloatArray]) -> ColumnBlocks:
        """Return these blocks and one more block for each given column.

        A column replaces a block that holds only its name.
        """
        added: dict[tuple[str, ...], FloatArray] = {
            (name,): column[np.newaxis] for name, column in columns.items()
        }
        return ColumnBlocks({**self.blocks, **added})

    def __getitem__(self, name: str) -> FloatArray:
        """Return a column as a view of its block."""
        for names, block in self.blocks.items():
            if name in names:
                column: FloatArray = block[names.index(name)]
                return column
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Yield the names, block by block."""
        return (name for names in self.blocks for name in names)

    def __len__(self) -> int:
        """Return the number of columns."""
        return sum(map(len, self.blocks))
