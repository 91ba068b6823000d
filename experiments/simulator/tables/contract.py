"""Bringing columns into the form of the contract."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from features.contract.columns import Kind, kind_of
from features.contract.tables import TABLE_BY_NAME

TYPES: Final = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.bool_(),
    Kind.TIME: pa.timestamp("us"),
}


def schema_of(name: str) -> pa.Schema:
    """Return the columns of a table of the contract, in its order."""
    columns = TABLE_BY_NAME[name].columns
    return pa.schema([(column, TYPES[kind_of(declared)]) for column, declared in columns.items()])


def by_contract(name: str, table: pa.Table) -> pa.Table:
    """Return a table with the contract's columns, in its order and with its types."""
    schema = schema_of(name)
    return table.select(schema.names).cast(schema)
