"""Check rows one by one against the contract's pandera schemas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa_schema
import pyarrow as pa

from features.cells.casting import cast_cells, find_unreadable
from features.cells.faults import Fault, explain_unreadable
from features.cells.mended import count_mended
from features.contract.columns import ColumnKind, Table, column_kind
from features.files.table_files import RawBatch

MISSING: Final = "missing"
MALFORMED: Final = "wrong number of cells"
MALFORMED_PLACE: Final = -1  # before all columns
FAULTS: Final = pa.schema(
    [("row_number", pa.int64()), ("column_index", pa.int16()), ("reason", pa.string())]
)
"""One fault of one row; a row's reasons are in the order of `column_index`."""

_PANDAS_TYPES: Final[Mapping[pa.DataType, Any]] = {
    pa.string(): pd.StringDtype(na_value=np.nan),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}

IN_1970: Final = "in 1970, as if seconds were stored as milliseconds, or nothing as 0"
AFTER_9999: Final = "after the year 9999, as if milliseconds were stored as seconds"
_YEAR_1971: Final = 365 * 86_400 * 10**6
_YEAR_10000: Final = 253_402_300_800 * 10**6

Mask = npt.NDArray[np.bool_]
_NONE: Final = np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True)
class CheckedBatch:
    """The valid rows of a batch, and the faults of the other rows.

    `valid` has the validated form plus `row_number`. `readable` and `filled` count the cells of
    each column that can be cast and that have a value; `mended` counts cells that were read as
    something else than they say, by column and by what was done.
    """

    valid: pa.Table
    faults: pa.Table
    readable: Mapping[str, int]
    filled: Mapping[str, int]
    mended: Mapping[tuple[str, str], int]


def check_batch(
    connection: duckdb.DuckDBPyConnection, table: Table, batch: RawBatch
) -> CheckedBatch:
    """Cast and check the rows of a batch; a row has all its faults, in the order of columns."""
    cells = filter_rows(batch.cells, ~batch.is_malformed)
    numbers = batch.row_numbers[~batch.is_malformed]
    typed = cast_cells(connection, table, cells)
    masks = find_unreadable(table, cells, typed)
    unreadable = {name: _to_numpy(mask) for name, mask in masks.items()}
    faults = pa.concat_tables(
        [
            _make_faults(batch.row_numbers[batch.is_malformed], MALFORMED_PLACE, MALFORMED),
            *_cast_faults(table, numbers, explain_unreadable(table, cells, masks)),
            *_schema_faults(table, typed, numbers, unreadable),
        ]
    )
    is_valid = ~np.isin(numbers, faults["row_number"].to_numpy())
    readable = {name: len(typed) - typed[name].null_count for name in table.columns}
    return CheckedBatch(
        valid=filter_rows(typed.append_column("row_number", pa.array(numbers)), is_valid),
        faults=faults,
        readable=readable,
        filled={
            name: rows + int(unreadable.get(name, _NONE).sum()) for name, rows in readable.items()
        },
        mended=count_mended(table, cells, typed),
    )


def filter_rows(table: pa.Table, mask: Mask) -> pa.Table:
    """Return the rows where the mask is true; the same table if it is true everywhere."""
    return table if mask.all() else table.filter(pa.array(mask))


def _to_numpy(mask: pa.ChunkedArray) -> Mask:
    return np.asarray(mask.to_numpy(), dtype=np.bool_)


def _make_faults(row_numbers: npt.NDArray[np.int64], column_index: int, reason: str) -> pa.Table:
    rows = len(row_numbers)
    columns = [pa.array(row_numbers), pa.repeat(column_index, rows), pa.repeat(reason, rows)]
    return pa.table(columns, names=FAULTS.names).cast(FAULTS)


def _cast_faults(
    table: Table, numbers: npt.NDArray[np.int64], faults: Iterable[Fault]
) -> Iterator[pa.Table]:
    indices = {name: column_index for column_index, name in enumerate(table.columns)}
    for fault in faults:
        rows = numbers[_to_numpy(fault.cells)]
        yield _make_faults(rows, indices[fault.column], f"{fault.column}: {fault.reason}")


def _schema_faults(
    table: Table, typed: pa.Table, numbers: npt.NDArray[np.int64], unreadable: Mapping[str, Mask]
) -> Iterator[pa.Table]:
    frame = typed.to_pandas(types_mapper=_PANDAS_TYPES.get)
    indices = {name: column_index for column_index, name in enumerate(table.columns)}
    for (column, check), failed in _failure_cases(table, frame).groupby(["column", "check"]):
        name = str(column)
        rows = np.zeros(len(frame), dtype=np.bool_)
        rows[failed["index"].to_numpy(dtype=np.int64)] = True
        is_missing = check == "not_nullable"
        if is_missing and name in unreadable:
            rows &= ~unreadable[name]  # such a cell has its reason already
        reasons = {MISSING if is_missing else str(check): rows}
        if column_kind(table.columns[name]) is ColumnKind.TIME and not is_missing:
            reasons = _split_far_times(typed[name], rows, str(check))
        for reason, failing in reasons.items():
            yield _make_faults(numbers[failing], indices[name], f"{name}: {reason}")


def _split_far_times(times: pa.ChunkedArray, rows: Mask, otherwise: str) -> dict[str, Mask]:
    """Return the rows with times outside the limits by what is likely wrong with them."""
    microseconds = times.cast(pa.int64()).fill_null(0).to_numpy()
    in_1970 = rows & (microseconds >= 0) & (microseconds < _YEAR_1971)
    is_late = rows & (microseconds >= _YEAR_10000)
    return {IN_1970: in_1970, AFTER_9999: is_late, otherwise: rows & ~in_1970 & ~is_late}


def _failure_cases(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row (column, check, index) per cell that fails a check of the schema."""
    try:
        table.schema.validate(frame, lazy=True)
    except pa_schema.errors.SchemaErrors as errors:
        cases: pd.DataFrame = errors.failure_cases
        return cases
    return pd.DataFrame({"column": [], "check": [], "index": []})
