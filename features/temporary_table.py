"""A step of a computation, kept in DuckDB as a temporary table."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.backends.sql.datatypes import DuckDBType
from ibis.util import gen_name

MOST_SCHEMAS: Final = 4096
"""A catalogue has about 140."""


def as_temporary_table(connection: Any, sql: str, schema: ibis.Schema) -> ir.Table:  # noqa: ANN401 - ibis ships no types
    """Compute a query now and keep its rows for as long as the connection.

    What `create_table` of Ibis does, in one round trip and not five: asking the engine for what
    was just declared took a third of the time of a small market.
    """
    declared, kept = _as_stored(schema)
    step = ops.DatabaseTable(
        gen_name("stored"),
        schema=kept,
        source=connection,
        namespace=ops.Namespace(catalog="temp", database="main"),
    )
    connection.raw_sql(
        f'CREATE TEMP TABLE "{step.name}" ({declared}); INSERT INTO "{step.name}" {sql}'
    )
    return step.to_expr()


@lru_cache(maxsize=MOST_SCHEMAS)
def _as_stored(schema: ibis.Schema) -> tuple[str, ibis.Schema]:
    """Write the columns with their types; return the schema that the engine then has.

    The types that Ibis knows, not those of the query: DuckDB's own sums of int64 are wider.
    """
    types = {name: DuckDBType.to_string(kind.copy(nullable=True)) for name, kind in schema.items()}
    declared = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    return declared, ibis.schema({name: DuckDBType.from_string(types[name]) for name in types})
