"""Compute the vectors of a level: the base features of its keys at one moment."""

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

PAGE_ROWS: Final = 100_000
"""Rows fetched from the engine at a time; memory holds them and the matrix."""

OWN_KEYS: Final[dict[Level, tuple[SignalName, ...]]] = {
    Level.SUPPLIER: (SignalName.AUDITS,),
    Level.CREATOR: (SignalName.VIDEOS, SignalName.CREATOR_STATS, SignalName.ORDERS),
    Level.CATEGORY_MARKET: (SignalName.REQUIREMENTS,),
}
"""Signals whose events may have keys of a level that no listing or product has."""


def live_keys(signals: SignalRows, level: Level) -> ir.Table:
    """Return each key of a level once, from products, listings and the signals in `OWN_KEYS`."""
    tables = [signals.dataset.tables["products"], signals.facts]
    tables += [
        signals.at_level(name, level) for name in OWN_KEYS.get(level, ()) if signals.has(name)
    ]
    names = LEVEL_KEYS[level]
    sources = [table.select(*names) for table in tables if set(names) <= set(table.columns)]
    if not sources:
        sources = [tables[0].select(**dict.fromkeys(names, ibis.null("string")))]
    keys = ibis.union(*sources) if len(sources) > 1 else sources[0]
    return signals.store(keys.filter(*(keys[name].notnull() for name in names)).distinct())


def level_vectors(
    signals: SignalRows, features: Sequence[BaseFeature], keys: ir.Table, day: int
) -> LevelVectors:
    """Compute features of one level for a table of distinct keys, as of a day."""
    names = LEVEL_KEYS[features[0].level]
    page = ibis.row_number().over(order_by=names) // PAGE_ROWS
    rows = signals.store(keys.mutate(page=page, **{AS_OF: ibis.literal(day, "int64")}))
    values = level_values(signals, features, rows)
    connection = signals.dataset.connection
    matrix = np.empty((int(connection.execute(rows.count())), len(features)))
    fetched: list[tuple[str, ...]] = []
    for number in range(-(-len(matrix) // PAGE_ROWS)):
        table = connection.to_pyarrow(values.filter(values.page == number).order_by(*names))
        block = matrix[len(fetched) : len(fetched) + table.num_rows]
        for index, feature in enumerate(features):
            block[:, index] = _to_floats(table[feature.name])
        fetched += _to_tuples(table, names)
    return LevelVectors(keys=fetched, values=matrix)


def list_keys(signals: SignalRows, keys: ir.Table) -> list[tuple[str, ...]]:
    """Return the rows of a table of keys."""
    return _to_tuples(signals.dataset.connection.to_pyarrow(keys), keys.columns)


def _to_tuples(table: pa.Table, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return text columns as one tuple a row."""
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def _to_floats(column: pa.ChunkedArray) -> FloatArray:
    """Return a column as float64, null as NaN."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
