"""Bringing columns into the form of the contract."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from features.contract.columns import ColumnKind, column_kind
from features.contract.tables import TABLE_BY_NAME

TYPES: Final = {
    ColumnKind.TEXT: pa.string(),
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.NUMBER: pa.float64(),
    ColumnKind.FLAG: pa.bool_(),
    ColumnKind.TIME: pa.timestamp("us"),
}


def table_schema(name: str) -> pa.Schema:
    """Return the columns of a table of the contract, in its order."""
    columns = TABLE_BY_NAME[name].columns
    return pa.schema(
        [(column, TYPES[column_kind(declared)]) for column, declared in columns.items()]
    )


def cast_to_contract(name: str, table: pa.Table) -> pa.Table:
    """Return a table with the contract's columns, in its order and with its types."""
    schema = table_schema(name)
    return table.select(schema.names).cast(schema)
