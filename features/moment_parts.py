"""Keys at moments in parts: what a level's join holds must not grow with the spine.

A level's features come from dozens of passes over signals, each a table as long as the keys, and
one query joins them all. The engine holds every one of them at once and can't spill them: 1.4
million rows of listings don't fit into its 2 GB. A part of the moments at a time does, and gives
the same values, for no feature looks at other rows of the spine.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from features.signal_rows import SignalRows
from features.visibility import AS_OF

MOST_ROWS: Final = 500_000
"""Rows of a part, but for those of its last moment: so many come in one piece out of 10 million
order lines."""


def in_parts(signals: SignalRows, keys: ir.Table, most_rows: int = MOST_ROWS) -> list[ir.Table]:
    """Return the rows of `keys`, divided by moments into tables of about `most_rows` at most.

    The table itself where it is short enough.
    """
    counted = keys.group_by(AS_OF).agg(rows=keys.count())
    counts = signals.dataset.connection.to_pyarrow(counted.order_by(AS_OF))
    edges = list(_edges(counts, most_rows))
    if len(edges) <= 1:
        return [keys]
    return [keys.filter(keys[AS_OF] >= first, keys[AS_OF] < end) for first, end in edges]


def _edges(counts: pa.Table, most_rows: int) -> Iterator[tuple[int, int]]:
    """Yield the first moment of each part and the first one after it."""
    days, rows = (counts[name].to_numpy() for name in (AS_OF, "rows"))
    if not days.size:
        return
    part = (np.cumsum(rows) - rows) // most_rows  # by the rows before each moment
    starts = days[np.flatnonzero(np.diff(part, prepend=-1))].tolist()
    yield from pairwise([*starts, int(days[-1]) + 1])
