"""Check one table row by row, and write the rows that survive all rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features.cells.casting import arrow_schema
from features.cells.faults import MONEY_FRACTION
from features.contract.columns import ColumnKind, Table, column_kind
from features.contract.errors import (
    AllNullColumnError,
    EmptyTableError,
    MajorUnitsError,
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
from features.validation.table_rules import describe_reason

MAJOR_UNITS_SHARE: Final = 0.01
"""Least amounts with a fraction, as a share of a column's, that are no slips any more."""


@dataclass(frozen=True)
class CheckedRows:
    """How many rows of a table were read, and which cells meant something else than they say.

    `mended` counts cells by column and by what was done.
    """

    rows: int
    mended: Counter[tuple[str, str]]


def check_rows(
    source: TableSource, ledger: FaultLedger, path: Path, progress: ProgressCallback
) -> CheckedRows:
    """Write the rows of a table that pass the row checks, with `row_number`.

    The ledger records the faults of the other rows.

    Raises:
        EmptyTableError: the table has no rows.
        AllNullColumnError: a column that needs values has none.
        MajorUnitsError: too many amounts of a column have a fraction.
        WrongTypeError: no cell of a column can be cast.
    """
    table = source.table
    rows, readable, filled = 0, Counter[str](), Counter[str]()
    mended = Counter[tuple[str, str]]()
    schema = arrow_schema(table).append(pa.field("row_number", pa.int64()))
    with pq.ParquetWriter(path, schema, compression="lz4") as writer:
        for batch in source.batches():
            checked = check_batch(ledger.connection, table, batch)
            writer.write_table(checked.valid)
            ledger.record(table, checked.faults)
            rows += batch.cells.num_rows
            readable.update(checked.readable)
            filled.update(checked.filled)
            mended.update(checked.mended)
            progress(table.name, rows)
    if rows == 0:
        raise EmptyTableError(table.name, is_required=table.is_required)
    _refuse_broken(ledger, table, readable, filled)
    return CheckedRows(rows, mended)


def _refuse_broken(
    ledger: FaultLedger, table: Table, readable: Counter[str], filled: Counter[str]
) -> None:
    _refuse_major_units(ledger, table, readable)
    for name, column in table.columns.items():
        if not column.nullable and filled[name] == 0:
            raise AllNullColumnError(table.name, name)
        # A single unreadable cell is one bad row; several without a readable one are a wrong type.
        kind = column_kind(column)
        if filled[name] > 1 and readable[name] == 0 and kind is not ColumnKind.TEXT:
            reason = _find_reason(ledger, table, name)
            detail = f"none of its {filled[name]:,} values can be read as such: {reason}"
            raise WrongTypeError(table.name, name, kind, detail)


def _refuse_major_units(ledger: FaultLedger, table: Table, readable: Counter[str]) -> None:
    """Refuse a column of dollars: 20.00 among them would be taken for 20 cents."""
    rows = {reason: rows for reason, rows, _ in ledger.reasons(table, 1)}
    for name in table.columns:
        fractions = rows.get(f"{name}: {MONEY_FRACTION}", 0)
        amounts = readable[name] + fractions
        if fractions and fractions >= amounts * MAJOR_UNITS_SHARE:
            raise MajorUnitsError(table.name, name, fractions, amounts)


def _find_reason(ledger: FaultLedger, table: Table, column: str) -> str:
    """Return the most frequent fault of a column's cells."""
    prefix = f"{column}: "
    faults = [fault for fault in ledger.reasons(table, 1) if fault[0].startswith(prefix)]
    reason, _, _ = max(faults, key=lambda fault: fault[1])
    return reason.removeprefix(prefix)


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
        reasons = [describe_reason(quarantined.reason) for quarantined in by_rows]
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
