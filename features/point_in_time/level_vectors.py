"""Vectors of keys: the base features of one level at one moment, by the interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from features.declarations.kinds import BaseFeature, SignalName
from features.declarations.levels import LEVEL_KEYS, Level
from features.online.contents import LevelVectors
from features.point_in_time.interpreter import level_values
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import AS_OF
from features.runtime.arrays import FloatArray
from features.signals.signal import Keys

PAGE_ROWS: Final = 100_000
"""Rows on their way from the engine at a time: beside them there is only the matrix."""

OWN_KEYS: Final[dict[Level, tuple[SignalName, ...]]] = {
    Level.SUPPLIER: (SignalName.AUDITS,),
    Level.CREATOR: (SignalName.VIDEOS, SignalName.CREATOR_STATS, SignalName.ORDERS),
    Level.CATEGORY_MARKET: (SignalName.REQUIREMENTS,),
}
"""Signals that may know keys of a level that no listing or product has."""


def live_keys(signals: SignalRows, level: Level) -> ir.Table:
    """Return each key of a level once: those of products and listings, and those of events."""
    tables = [signals.dataset.tables["products"], signals.facts()]
    for name in OWN_KEYS.get(level, ()):
        if signals.has(name):
            tables += signals.sources(name, level)
    return signals.compute(_keys, *tables, names=LEVEL_KEYS[level])


def _keys(*tables: ir.Table, names: Keys) -> ir.Table:
    """Return the keys of all tables that have their columns."""
    sources = [table.select(*names) for table in tables if set(names) <= set(table.columns)]
    if not sources:
        sources = [tables[0].select(**dict.fromkeys(names, ibis.null("string")))]
    keys = ibis.union(*sources) if len(sources) > 1 else sources[0]
    return keys.filter(*(keys[name].notnull() for name in names)).distinct()


def level_vectors(
    signals: SignalRows, features: Sequence[BaseFeature], keys: ir.Table, day: int
) -> LevelVectors:
    """Compute features of one level for the keys of a table, each there once, as of a day."""
    names = LEVEL_KEYS[features[0].level]
    page = ibis.row_number().over(order_by=names) // PAGE_ROWS
    rows = signals.store(keys.mutate(page=page, **{AS_OF: ibis.literal(day, "int64")}))
    paged = level_values(signals, features, rows)
    connection = signals.dataset.connection
    matrix = np.empty((int(connection.execute(rows.count())), len(features)))
    found: list[tuple[str, ...]] = []
    for number in range(-(-len(matrix) // PAGE_ROWS)):
        table = connection.to_pyarrow(paged.filter(paged.page == number).order_by(*names))
        part = matrix[len(found) : len(found) + table.num_rows]
        for place, feature in enumerate(features):
            part[:, place] = _floats(table[feature.name])
        found += texts(table, names)
    return LevelVectors(keys=found, values=matrix)


def list_keys(signals: SignalRows, keys: ir.Table) -> list[tuple[str, ...]]:
    """Return the rows of a table of keys."""
    return texts(signals.dataset.connection.to_pyarrow(keys), keys.columns)


def texts(table: pa.Table, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return columns of text as one tuple a row."""
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def _floats(column: pa.ChunkedArray) -> FloatArray:
    """Return a column as float64 with null as NaN."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
