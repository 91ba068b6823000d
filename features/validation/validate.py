"""Validate a source directory: write its valid rows, its quarantine and a report."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from features.contract.tables import TABLES
from features.files.source import Source, TableSource, find_tables
from features.runtime.atomic import refuse_overlap, write_directory
from features.runtime.progress import ProgressCallback, ignore_progress
from features.runtime.refusals import raise_storage_errors
from features.runtime.text import join_names
from features.validation.checked_rows import (
    CheckedRows,
    check_rows,
    refuse_unusable,
    write_valid_rows,
)
from features.validation.far_values import find_far_values
from features.validation.fault_ledger import FaultLedger, open_ledger
from features.validation.quarantine import write_quarantine
from features.validation.report import (
    MAX_EXAMPLES,
    MAX_NAMES,
    REPORT_FILE,
    QuarantineReason,
    TableReport,
    ValidationReport,
    has_report,
)
from features.validation.row_warnings import describe_mended, find_warnings, read_event_times
from features.validation.table_rules import apply_rules

QUARANTINE: Final = "quarantine"


def validate(
    source: Path, out: Path, progress: ProgressCallback = ignore_progress
) -> ValidationReport:
    """Check a source directory and write its validated form to `out`, whole or not at all.

    An earlier result at `out` is replaced. `validate_tables` says what is written.

    Raises:
        DataError: a table is broken as a whole, or a required one has no valid row.
        StorageError: the disk refuses; the earlier result stays.
    """
    refuse_overlap(source, out)
    with raise_storage_errors():
        tables = find_tables(source)
    with write_directory(out, has_report) as partial:
        return validate_tables(tables, partial, progress)


def validate_tables(
    source: Source, directory: Path, progress: ProgressCallback = ignore_progress
) -> ValidationReport:
    """Check the tables of a source and write their validated form into an empty directory.

    The directory receives `{table}.parquet` (columns in contract order, absent optional ones null,
    times naive UTC, rows in source order), `quarantine/{table}.parquet` and `report.json`. An
    optional table without a valid row isn't written, so that it counts as absent. Memory stays
    bounded for tables of any length.

    Raises:
        DataError: a table is broken as a whole, or a required one has no valid row.
    """
    # Intermediate files lie beside the result: the system's temporary directory may be small.
    with tempfile.TemporaryDirectory(dir=directory, prefix=".work-") as work:
        tables = _check_tables(source, Path(work), directory, progress)
    report = ValidationReport(
        source=source.name,
        tables=tables,
        absent=source.absent,
        ignored=source.ignored[:MAX_NAMES],
        ignored_more=max(len(source.ignored) - MAX_NAMES, 0),
    )
    (directory / REPORT_FILE).write_text(report.to_json(), encoding="utf-8")
    return report


def _check_tables(
    source: Source, work: Path, out: Path, progress: ProgressCallback
) -> tuple[TableReport, ...]:
    by_name = {table_source.table.name: table_source for table_source in source.tables}
    checked_rows = {}
    with open_ledger(work / "spill") as ledger:
        for table in TABLES:
            ledger.begin(table)
            path = work / f"{table.name}.parquet"
            if table.name in by_name:
                checked_rows[table.name] = check_rows(by_name[table.name], ledger, path, progress)
            ledger.create_view(table, path if path.exists() else None)
        apply_rules(ledger, frozenset(by_name))
        return tuple(
            _write_table(by_name[name], checked, ledger, (work / f"{name}.parquet", out))
            for name, checked in checked_rows.items()
        )


def _write_table(
    source: TableSource, checked: CheckedRows, ledger: FaultLedger, paths: tuple[Path, Path]
) -> TableReport:
    """Write the valid and the quarantined rows of a table; return its counts."""
    table, (path, out) = source.table, paths
    rows_quarantined, rows_dropped = ledger.counts(table)
    removed = ledger.find_removed_rows(table)
    rows_valid = write_valid_rows(table, path, removed, out / f"{table.name}.parquet")
    times = read_event_times(ledger, table)
    report = TableReport(
        name=table.name,
        rows_read=checked.rows,
        rows_valid=rows_valid,
        rows_dropped=rows_dropped,
        rows_quarantined=rows_quarantined,
        quarantined=tuple(
            QuarantineReason(*reason) for reason in ledger.reasons(table, MAX_EXAMPLES)
        ),
        first_event=times.first_event,
        last_event=times.last_event,
        null_available_at=times.null_available_at,
        warnings=(
            *_source_warnings(source, rows_valid),
            *describe_mended(checked.mended),
            *find_warnings(ledger, table, times),
            *find_far_values(ledger, table),
        ),
    )
    refuse_unusable(table, report)
    if rows_quarantined:
        (out / QUARANTINE).mkdir(exist_ok=True)
        quarantine = out / QUARANTINE / f"{table.name}.parquet"
        write_quarantine(source, ledger.reasons_by_row(table), quarantine)
    return report


def _source_warnings(source: TableSource, rows_valid: int) -> list[str]:
    warnings = [*source.notes[:MAX_NAMES]]
    if source.extra_columns:
        warnings.append(f"ignored columns, not in the contract: {join_names(source.extra_columns)}")
    if rows_valid == 0:
        warnings.append("no valid row: the table counts as absent")
    return warnings
