"""Giving a data frame the columns, order and types of a table of the contract."""

from __future__ import annotations

from typing import Final

import pandas as pd
import pyarrow as pa

from features.contract.columns import ColumnKind, Table

_ARROW_TYPES: Final = {
    ColumnKind.TEXT.name: pa.string(),
    ColumnKind.INTEGER.name: pa.int64(),
    ColumnKind.NUMBER.name: pa.float64(),
    ColumnKind.FLAG.name: pa.bool_(),
    ColumnKind.TIME.name: pa.timestamp("us"),
}


def conform_table(table: Table, frame: pd.DataFrame) -> pa.Table:
    """Return a frame as a table of the contract; its times are naive UTC.

    Optional columns that the frame lacks stay absent, the others become columns of nulls. The
    Arrow table carries no pandas metadata, so that equal rows make equal files.
    """
    columns = {
        name: pa.array(frame[name], type=_ARROW_TYPES[column.metadata["kind"]], from_pandas=True)
        if name in frame
        else pa.nulls(len(frame), _ARROW_TYPES[column.metadata["kind"]])
        for name, column in table.columns.items()
        if name in frame or column.required
    }
    return pa.table(columns)
