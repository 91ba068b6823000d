"""Check one table row by row, and write the rows that survive all rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features.cells.casting import arrow_schema
from features.contract.columns import Table, column_kind
from features.contract.errors import (
    AllNullColumnError,
    EmptyTableError,
    NeverVisibleError,
    NoValidRowsError,
    WrongTypeError,
)
from features.files.source import TableSource
from features.files.table_files import BATCH_ROWS
from features.runtime.progress import ProgressCallback
from features.validation.fault_ledger import FaultLedger
from features.validation.report import TableReport
from features.validation.row_checks import check_batch, filter_rows


def check_rows(
    source: TableSource, ledger: FaultLedger, path: Path, progress: ProgressCallback
) -> int:
    """Write the rows of a table that pass the row checks, with `row_number`.

    The ledger records the faults of the other rows. Returns the number of rows read.

    Raises:
        EmptyTableError: the table has no rows.
        AllNullColumnError: a column that needs values has none.
        WrongTypeError: no cell of a column can be cast.
    """
    table = source.table
    rows, readable, filled = 0, Counter[str](), Counter[str]()
    schema = arrow_schema(table).append(pa.field("row_number", pa.int64()))
    with pq.ParquetWriter(path, schema, compression="lz4") as writer:
        for batch in source.batches():
            checked = check_batch(ledger.connection, table, batch)
            writer.write_table(checked.valid)
            ledger.record(table, checked.faults)
            rows += batch.cells.num_rows
            readable.update(checked.readable)
            filled.update(checked.filled)
            progress(table.name, rows)
    _refuse_broken(table, rows, readable, filled)
    return rows


def _refuse_broken(table: Table, rows: int, readable: Counter[str], filled: Counter[str]) -> None:
    if rows == 0:
        raise EmptyTableError(table.name, is_required=table.is_required)
    for name, column in table.columns.items():
        if not column.nullable and filled[name] == 0:
            raise AllNullColumnError(table.name, name)
        # A single unreadable cell is one bad row; several without a readable one are a wrong type.
        if filled[name] > 1 and readable[name] == 0:
            detail = f"none of its {filled[name]:,} values can be read as such"
            raise WrongTypeError(table.name, name, column_kind(column), detail)


def refuse_unusable(table: Table, report: TableReport) -> None:
    """Refuse a required table without a usable row.

    Raises:
        NoValidRowsError: no row is valid; the error names the most frequent reasons.
        NeverVisibleError: no valid row ever becomes known.
    """
    if not table.is_required:
        return
    if report.rows_valid == 0:
        by_rows = sorted(report.quarantined, key=lambda quarantined: -quarantined.rows)
        reasons = [quarantined.reason for quarantined in by_rows]
        raise NoValidRowsError(table.name, report.rows_read, reasons)
    if report.null_available_at == report.rows_valid:
        raise NeverVisibleError(table.name, report.rows_valid)


def write_valid_rows(
    table: Table, checked: Path, removed: npt.NDArray[np.int64], path: Path
) -> int:
    """Write the checked rows without the removed ones, in source order; return their number.

    `removed` holds row numbers in ascending order. Without a row, no file is written.
    """
    rows = 0
    with (
        pq.ParquetFile(checked, pre_buffer=False) as parquet,
        pq.ParquetWriter(path, arrow_schema(table), compression="zstd") as writer,
    ):
        for batch in parquet.iter_batches(BATCH_ROWS):
            numbers = batch["row_number"].to_numpy()
            start, stop = np.searchsorted(removed, [numbers[0], numbers[-1] + 1])
            survives = ~np.isin(numbers, removed[start:stop])
            columns = pa.Table.from_batches([batch]).select(list(table.columns))
            valid = filter_rows(columns, survives)
            writer.write_table(valid)
            rows += valid.num_rows
    if rows == 0:
        path.unlink()
    return rows
