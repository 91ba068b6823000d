"""Write the quarantine: the rows as in the source, with the reasons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features.cells.formatting import format_cells
from features.files.source import TableSource
from features.files.table_files import RawBatch

REASON: Final = "quarantine_reason"
ROW_NUMBER: Final = "quarantine_row_number"
"""No table of the contract has columns of these names; `returns` has a `reason`."""


def write_quarantine(source: TableSource, reasons: pa.Table, path: Path) -> None:
    """Write the rows named by `reasons`, which has `row_number` (ascending) and `reasons`.

    The columns are all columns of the table's source files as text, then `quarantine_reason` and
    `quarantine_row_number`; those of an earlier quarantine, whose rows were repaired, are left out.
    The source is read again, one batch at a time.
    """
    extra = [name for name in source.extra_columns if name not in {REASON, ROW_NUMBER}]
    names = [*source.table.columns, *extra]
    fields = [(name, pa.string()) for name in names]
    schema = pa.schema([*fields, (REASON, pa.string()), (ROW_NUMBER, pa.int64())])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for cells, rows in _rows_with_reasons(source, reasons):
            columns = [_as_text(cells, name) for name in names]
            writer.write_table(pa.table([*columns, rows["reasons"], rows["row_number"]], schema))


def _rows_with_reasons(
    source: TableSource, reasons: pa.Table
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield the quarantined rows of each batch with their part of `reasons`."""
    numbers: npt.NDArray[np.int64] = reasons["row_number"].to_numpy()
    for batch in source.batches():
        start, stop = np.searchsorted(numbers, [batch.row_numbers[0], batch.row_numbers[-1] + 1])
        if start < stop:
            batch_reasons = reasons.slice(start, stop - start)
            yield _take_rows(batch, batch_reasons["row_number"].to_numpy()), batch_reasons


def _take_rows(batch: RawBatch, numbers: npt.NDArray[np.int64]) -> pa.Table:
    return batch.cells.take(pa.array(np.searchsorted(batch.row_numbers, numbers)))


def _as_text(cells: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in cells.column_names:
        return pa.chunked_array([pa.nulls(cells.num_rows, pa.string())])
    return format_cells(cells[name])
