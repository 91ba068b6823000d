"""Checking rows one by one: what the contract's pandera schemas say of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa_schema
import pyarrow as pa

from features.contract.columns import Table, column_kind
from features.validation.casting import UNREADABLE, cast_cells, find_unreadable
from features.validation.table_files import RawBatch

MISSING: Final = "missing"
MALFORMED: Final = "wrong number of cells"
MALFORMED_PLACE: Final = -1
FAULTS: Final = pa.schema(
    [("row_number", pa.int64()), ("place", pa.int16()), ("reason", pa.string())]
)
"""One fault of one row; `place` orders the reasons of a row as the contract orders columns."""

_PANDAS_TYPES: Final[Mapping[pa.DataType, Any]] = {
    pa.string(): pd.StringDtype(na_value=np.nan),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}

Mask = npt.NDArray[np.bool_]
_NONE: Final = np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True)
class CheckedBatch:
    """The rows of a batch that hold what the contract says, and the faults of the others.

    `valid` has the validated form plus `row_number`. `read` and `filled` count, for each column,
    the cells that could be read and those that held anything.
    """

    valid: pa.Table
    faults: pa.Table
    read: Mapping[str, int]
    filled: Mapping[str, int]


def check_batch(
    connection: duckdb.DuckDBPyConnection, table: Table, batch: RawBatch
) -> CheckedBatch:
    """Cast and check the rows of a batch; a row keeps all its faults, in contract order."""
    cells = filter_rows(batch.cells, ~batch.is_malformed)
    numbers = batch.row_numbers[~batch.is_malformed]
    typed = cast_cells(connection, table, cells)
    bad = {name: _as_mask(mask) for name, mask in find_unreadable(table, cells, typed).items()}
    faults = pa.concat_tables(
        [
            _make_faults(batch.row_numbers[batch.is_malformed], MALFORMED_PLACE, MALFORMED),
            *_cast_faults(table, numbers, bad),
            *_schema_faults(table, typed, numbers, bad),
        ]
    )
    is_valid = ~np.isin(numbers, faults["row_number"].to_numpy())
    read = {name: len(typed) - typed[name].null_count for name in table.columns}
    return CheckedBatch(
        valid=filter_rows(typed.append_column("row_number", pa.array(numbers)), is_valid),
        faults=faults,
        read=read,
        filled={name: rows + int(bad.get(name, _NONE).sum()) for name, rows in read.items()},
    )


def filter_rows(table: pa.Table, mask: Mask) -> pa.Table:
    """Return the rows where the mask is true, without a copy when that is all of them."""
    return table if mask.all() else table.filter(pa.array(mask))


def _as_mask(mask: pa.ChunkedArray) -> Mask:
    return np.asarray(mask.to_numpy(), dtype=np.bool_)


def _make_faults(row_numbers: npt.NDArray[np.int64], place: int, reason: str) -> pa.Table:
    rows = len(row_numbers)
    columns = [pa.array(row_numbers), pa.repeat(place, rows), pa.repeat(reason, rows)]
    return pa.table(columns, names=FAULTS.names).cast(FAULTS)


def _cast_faults(
    table: Table, numbers: npt.NDArray[np.int64], bad: Mapping[str, Mask]
) -> Iterator[pa.Table]:
    for place, (name, column) in enumerate(table.columns.items()):
        if name in bad:
            reason = f"{name}: {UNREADABLE[column_kind(column)]}"
            yield _make_faults(numbers[bad[name]], place, reason)


def _schema_faults(
    table: Table, typed: pa.Table, numbers: npt.NDArray[np.int64], bad: Mapping[str, Mask]
) -> Iterator[pa.Table]:
    frame = typed.to_pandas(types_mapper=_PANDAS_TYPES.get)
    places = {name: place for place, name in enumerate(table.columns)}
    for (column, check), failed in _failure_cases(table, frame).groupby(["column", "check"]):
        name = str(column)
        rows = np.zeros(len(frame), dtype=np.bool_)
        rows[failed["index"].to_numpy(dtype=np.int64)] = True
        is_missing = check == "not_nullable"
        if is_missing and name in bad:
            rows &= ~bad[name]  # something was there, and it has its reason already
        reason = f"{name}: {MISSING if is_missing else check}"
        yield _make_faults(numbers[rows], places[name], reason)


def _failure_cases(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row (column, check, index) a cell that fails a check of the schema."""
    try:
        table.schema.validate(frame, lazy=True)
    except pa_schema.errors.SchemaErrors as errors:
        cases: pd.DataFrame = errors.failure_cases
        return cases
    return pd.DataFrame({"column": [], "check": [], "index": []})
