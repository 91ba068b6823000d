"""Steps of a computation, each written as SQL once a process.

Ibis takes longer to build and to write a catalogue's 140 steps than DuckDB to compute them on a
small market. A step is a function of tables and of facts about what to compute; called with
stand-ins that have a schema and a name but no rows, it can only depend on the schemas and the
facts. So its SQL may be kept by them, and read from other tables with the same schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.backends.sql.datatypes import DuckDBType
from ibis.util import gen_name

MAX_SCHEMAS: Final = 4096
"""A catalogue has about 140."""


def store_temporary_table(connection: Any, sql: str, schema: ibis.Schema) -> ir.Table:  # noqa: ANN401 - ibis ships no types
    """StepFunction a query now and keep its rows for as long as the connection.

    What `create_table` of Ibis does, in one round trip and not five: asking the engine for what
    was just declared took a third of the time of a small market.
    """
    declared, kept = _declare_columns(schema)
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


@lru_cache(maxsize=MAX_SCHEMAS)
def _declare_columns(schema: ibis.Schema) -> tuple[str, ibis.Schema]:
    """Write the columns with their types; return the schema that the engine then has.

    The types that Ibis knows, not those of the query: DuckDB's own sums of int64 are wider.
    """
    types = {name: DuckDBType.to_string(kind.copy(nullable=True)) for name, kind in schema.items()}
    declared = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    return declared, ibis.schema({name: DuckDBType.from_string(types[name]) for name in types})


MAX_STEPS: Final = 4096
"""A catalogue has 140; tests compute dozens of catalogues and markets without some tables."""


StepFunction = Callable[..., ir.Table]
"""A function of the module level, of tables and of facts by name, and of nothing else."""


@dataclass(frozen=True)
class CompiledStep:
    """The SQL of a step, that reads from stand-ins, and the schema of its result."""

    sql: str
    schema: ibis.Schema

    def sql_for(self, names: Sequence[str]) -> str:
        """Return the SQL that reads from the tables of these names."""
        sql = self.sql
        for place, name in enumerate(names):
            sql = sql.replace(_placeholder(place), name)
        return sql


@lru_cache(maxsize=MAX_STEPS)
def compile_step(
    dialect: str,
    compute: StepFunction,
    about: tuple[tuple[str, Hashable], ...],
    schemas: tuple[ibis.Schema, ...],
) -> CompiledStep:
    """Write a step in the dialect of an engine, for tables of these schemas."""
    tables = [ibis.table(schema, name=_placeholder(place)) for place, schema in enumerate(schemas)]
    table = compute(*tables, **dict(about))
    return CompiledStep(str(ibis.to_sql(table, dialect=dialect, pretty=False)), table.schema())


def _placeholder(place: int) -> str:
    """Return a name that stands in no other place of any SQL."""
    return f"<table {place}>"
