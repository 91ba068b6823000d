"""Columns of many tables put beside the rows of one, in one join."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ibis.expr.operations as ops
import ibis.expr.types as ir

Part = tuple[ir.Table, Sequence[str]]
"""A table that has each of its keys once, and the columns that it shares with the rows."""
Columns = Callable[[Mapping[str, ir.Value]], Mapping[str, ir.Value]]


def left_join(rows: ir.Table, parts: Sequence[Part], columns: Columns) -> ir.Table:
    """Return all rows with what `columns` makes of the parts' columns, null where there is none.

    One `left_join` of Ibis after the other looks each time at all columns so far: for the forty
    parts of a level that took longer than the engine's work on a small market.
    """
    first = ops.JoinReference(rows.op(), identifier=0)
    links: list[ops.JoinLink] = []
    found: dict[str, ir.Value] = {}
    for place, (part, keys) in enumerate(parts, start=1):
        joined = ops.JoinReference(part.op(), identifier=place)
        same = [ops.Equals(ops.Field(first, key), ops.Field(joined, key)) for key in keys]
        links.append(ops.JoinLink("left", table=joined, predicates=same))
        own = (name for name in part.columns if name not in keys)
        found |= {name: ops.Field(joined, name).to_expr() for name in own}
    made = {name: value.op() for name, value in columns(found).items()}
    ours = {name: ops.Field(first, name) for name in rows.columns}
    return ops.JoinChain(first, rest=links, values={**ours, **made}).to_expr()
