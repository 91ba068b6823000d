"""Moments in parts: what one query holds must not grow with the spine.

A level's features come from dozens of passes over signals, each a table as long as the keys, and
one query joins them all; another hands over all levels' columns. The engine can't spill what such
a query holds: 1.4 million rows of listings don't fit into its 2 GB. A part of the moments at a
time does, and gives the same values, for no feature looks at other rows of the spine.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import ibis.expr.types as ir
import numpy as np

from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import AS_OF

MOST_ROWS: Final = 500_000
"""Rows of a part, but for those of its last moment: so many come in one piece out of 10 million
order lines."""


@dataclass(frozen=True)
class MomentBatch:
    """The moments from `first` to before `end`, as day numbers; no end where it is None."""

    first: int | None = None
    end: int | None = None

    def filter_rows(self, table: ir.Table) -> ir.Table:
        """Return a table's rows at these moments."""
        bounds = []
        if self.first is not None:
            bounds.append(table[AS_OF] >= self.first)
        if self.end is not None:
            bounds.append(table[AS_OF] < self.end)
        return table.filter(*bounds) if bounds else table


def split_moments(signals: SignalRows, keys: ir.Table) -> list[MomentBatch]:
    """Divide all moments, in their order, so that each part has about `MOST_ROWS` of the keys.

    A moment is never divided; few rows are one part.
    """
    counted = keys.group_by(AS_OF).agg(rows=keys.count()).order_by(AS_OF)
    counts = signals.dataset.connection.to_pyarrow(counted)
    days, rows = (counts[name].to_numpy() for name in (AS_OF, "rows"))
    part = (np.cumsum(rows) - rows) // MOST_ROWS  # by the rows before each moment
    inner: list[int | None] = days[1:][np.diff(part) > 0].tolist()
    return [MomentBatch(first, end) for first, end in pairwise([None, *inner, None])]
