"""One table on its way through validation: checked row by row, then what survived the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features.contract.columns import Table, column_kind
from features.contract.errors import (
    AllNullColumnError,
    EmptyTableError,
    NeverVisibleError,
    NoValidRowsError,
    WrongTypeError,
)
from features.validation.casting import arrow_schema
from features.validation.fault_ledger import FaultLedger
from features.validation.report import TableReport
from features.validation.row_checks import check_batch, filter_rows
from features.validation.source import TableSource
from features.validation.table_files import BATCH_ROWS


def check_rows(
    source: TableSource, ledger: FaultLedger, path: Path, progress: Callable[[str, int], None]
) -> int:
    """Write a table's rows that pass the row checks, with `row_number`; return the rows read.

    The faults of the others go to the ledger.

    Raises:
        EmptyTableError: there is no row.
        AllNullColumnError, WrongTypeError: a column holds nothing, or nothing that can be read.
    """
    table = source.table
    rows, read, filled = 0, Counter[str](), Counter[str]()
    schema = arrow_schema(table).append(pa.field("row_number", pa.int64()))
    with pq.ParquetWriter(path, schema, compression="lz4") as writer:
        for batch in source.batches():
            checked = check_batch(ledger.connection, table, batch)
            writer.write_table(checked.valid)
            ledger.note(table, checked.faults)
            rows += batch.cells.num_rows
            read.update(checked.read)
            filled.update(checked.filled)
            progress(table.name, rows)
    _refuse_broken(table, rows, read, filled)
    return rows


def _refuse_broken(table: Table, rows: int, read: Counter[str], filled: Counter[str]) -> None:
    if rows == 0:
        raise EmptyTableError(table.name, is_required=table.is_required)
    for name, column in table.columns.items():
        if not column.nullable and filled[name] == 0:
            raise AllNullColumnError(table.name, name)
        # A single cell is a bad cell; when there are more and none can be read, it is the type.
        if filled[name] > 1 and read[name] == 0:
            found = f"none in {filled[name]:,} cells"
            raise WrongTypeError(table.name, name, column_kind(column), found)


def refuse_unusable(table: Table, account: TableReport) -> None:
    """Refuse a required table of which nothing can be used.

    Raises:
        NoValidRowsError: no row is valid; the message has the most frequent reasons.
        NeverVisibleError: no row ever becomes known.
    """
    if not table.is_required:
        return
    if account.rows_valid == 0:
        by_rows = sorted(account.quarantined, key=lambda found: -found.rows)
        raise NoValidRowsError(table.name, account.rows_read, [found.reason for found in by_rows])
    if account.null_available_at == account.rows_valid:
        raise NeverVisibleError(table.name, account.rows_valid)


def write_valid_rows(
    table: Table, checked: Path, removed: npt.NDArray[np.int64], path: Path
) -> int:
    """Write the checked rows but the removed ones, in source order; return how many.

    `removed` holds row numbers in order. Without a row, no file is written.
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
