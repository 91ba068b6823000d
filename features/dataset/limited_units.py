"""Limit the units of an order line by the lines known before it, so that one slip decides nothing.

A mistyped million would be the demand of its market for months. No buyer takes it back, so only its
size shows that it is wrong. A line counts as at most ten times what is large among earlier lines,
in features and labels alike. The limit depends on the lines known on earlier days alone, so a row
that becomes known later never changes an earlier line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from operator import add
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np

from features.dataset.days import day_number
from features.runtime.arrays import IntArray
from features.validation.far_values import LARGE_LINE_SHARE, MAX_LINE_RATIO, MIN_LINES

POWERS: Final = range(1, 21)
"""Powers of two up to the most units that the contract allows."""


def limit_units(connection: Any, tables: Mapping[str, ir.Table]) -> Mapping[str, ir.Table]:  # noqa: ANN401 - ibis ships no types
    """Return tables with limited units of order lines, and returns reduced in proportion.

    Tables in which no line is too large are returned as they are.
    """
    orders = tables["orders"]
    days, limits = _find_limits(connection, orders.filter(orders.available_at.notnull()))
    if not days.size:
        return tables
    starts = np.flatnonzero(np.diff(limits, prepend=-1))
    known_day = day_number(orders.available_at)
    # Of several cases that hold, the first counts: the latest day.
    steps = [(known_day >= int(days[i]), int(limits[i])) for i in reversed(starts)]
    large = orders.mutate(max_units=ibis.cases(*steps).cast("int64"), line_units=orders.units)
    large = large.filter(large.units > large.max_units)
    large = large.select("order_line_id", "max_units", "line_units")
    limited = {**tables, "orders": _replace_units(orders, large, lambda row: row.max_units)}
    if "returns" in tables:
        limited["returns"] = _replace_units(
            tables["returns"],
            large,
            lambda row: (row.units * row.max_units // row.line_units).cast("int64"),
        )
    return limited


def _replace_units(
    table: ir.Table, large: ir.Table, units: Callable[[ir.Table], ir.IntegerValue]
) -> ir.Table:
    """Replace the units in the rows of large lines; the others stay."""
    rows = table.left_join(large, "order_line_id")
    kept = ibis.ifelse(rows.max_units.isnull(), rows.units, units(rows))
    return rows.mutate(units=kept).select(*table.columns)


def _find_limits(connection: Any, lines: ir.Table) -> tuple[IntArray, IntArray]:  # noqa: ANN401 - ibis ships no types
    """Return days, ascending, and the most units of a line that becomes known on each of them.

    Both are empty if no line has more.
    """
    days, counts, largest = _count_lines(connection, lines)
    before = np.cumsum(counts, axis=0) - counts
    known = before.sum(axis=1)
    is_large = np.cumsum(before, axis=1) >= LARGE_LINE_SHARE * known[:, np.newaxis]
    limits = MAX_LINE_RATIO * 2 ** (is_large.argmax(axis=1) + 1)
    is_limited = known >= MIN_LINES
    if not (largest > limits)[is_limited].any():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return days[is_limited], limits[is_limited]


def _count_lines(connection: Any, lines: ir.Table) -> tuple[IntArray, IntArray, IntArray]:  # noqa: ANN401 - ibis ships no types
    """Count order lines by the day on which they became known and by power of two of their units.

    Returns the days (days,), the counts (days, powers) and the units of each day's largest line.
    """
    power = reduce(add, ((lines.units >= 2**n).cast("int64") for n in POWERS))
    rows = lines.select(day=day_number(lines.available_at), power=power, units="units")
    binned = rows.group_by("day", "power").agg(lines=rows.count(), largest=rows.units.max())
    table = connection.to_pyarrow(binned)
    days, row = np.unique(table["day"].to_numpy(), return_inverse=True)
    counts = np.zeros((days.size, len(POWERS) + 1), np.int64)
    largest = np.zeros(days.size, np.int64)
    np.add.at(counts, (row, table["power"].to_numpy()), table["lines"].to_numpy())
    np.maximum.at(largest, row, table["largest"].to_numpy())
    return days, counts, largest
