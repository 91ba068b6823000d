"""Join the columns of many tables to the rows of one."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.operations as ops
import ibis.expr.types as ir

Part = tuple[ir.Table, Sequence[str]]
"""A table with one row a key, and the key columns that it shares with the rows."""


def left_join(rows: ir.Table, parts: Sequence[Part]) -> ir.Table:
    """Return all rows with the columns of all parts, null where a part lacks the key.

    Ibis's own `left_join`, called once a part, binds all columns again at each call, which takes
    longer than the engine's work for the forty parts of a level.
    """
    first = ops.JoinReference(rows.op(), identifier=0)
    values = {name: ops.Field(first, name) for name in rows.columns}
    links: list[ops.JoinLink] = []
    for identifier, (part, keys) in enumerate(parts, start=1):
        joined = ops.JoinReference(part.op(), identifier=identifier)
        equal = [ops.Equals(ops.Field(first, key), ops.Field(joined, key)) for key in keys]
        links.append(ops.JoinLink("left", table=joined, predicates=equal))
        values |= {name: ops.Field(joined, name) for name in part.columns if name not in keys}
    return ops.JoinChain(first, rest=links, values=values).to_expr()
