"""Split moments into batches, so that the memory of a query doesn't grow with the spine.

One query joins dozens of tables, each as long as the keys, and the engine can't spill these joins
to the disk. A batch of moments gives the same values, because no feature reads other rows of the
spine. docs/decisions/rows-of-a-batch-of-moments.md explains the size.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import ibis.expr.types as ir
import numpy as np

from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import AS_OF

BATCH_ROWS: Final = 500_000
"""Rows before the last moment of a batch; the last moment may add more."""


@dataclass(frozen=True)
class MomentBatch:
    """Moments as day numbers, from `first` up to but not including `end`; None means no bound."""

    first: int | None = None
    end: int | None = None

    def filter_rows(self, table: ir.Table) -> ir.Table:
        """Return the rows of a table at these moments."""
        bounds = []
        if self.first is not None:
            bounds.append(table[AS_OF] >= self.first)
        if self.end is not None:
            bounds.append(table[AS_OF] < self.end)
        return table.filter(*bounds) if bounds else table


def split_moments(signals: SignalRows, keys: ir.Table) -> list[MomentBatch]:
    """Split all moments, in order, into batches of about `BATCH_ROWS` rows of `keys`.

    A moment is never split. A small table is one batch.
    """
    counted = keys.group_by(AS_OF).agg(rows=keys.count()).order_by(AS_OF)
    counts = signals.dataset.connection.to_pyarrow(counted)
    days, rows = (counts[name].to_numpy() for name in (AS_OF, "rows"))
    batch = (np.cumsum(rows) - rows) // BATCH_ROWS  # by the rows before each moment
    starts: list[int | None] = days[1:][np.diff(batch) > 0].tolist()
    return [MomentBatch(first, end) for first, end in pairwise([None, *starts, None])]
