"""Validating a source directory: from tables as they come to tables the engine can trust."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from features.contract.tables import TABLES
from features.runtime.atomic import publish_directory, refuse_overlap
from features.runtime.progress import ProgressCallback, ignore_progress
from features.runtime.refusals import raise_storage_errors
from features.runtime.text import join_names
from features.validation.checked_rows import check_rows, refuse_unusable, write_valid_rows
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
from features.validation.row_warnings import find_warnings, read_event_times
from features.validation.source import Source, TableSource, find_tables
from features.validation.table_rules import apply_rules

QUARANTINE: Final = "quarantine"


def validate(
    source: Path, out: Path, progress: ProgressCallback = ignore_progress
) -> ValidationReport:
    """Check a source directory and write its validated form, whole or not at all.

    `out` receives `{table}.parquet` (columns in contract order, absent optional ones null, times
    naive UTC, rows in source order), `quarantine/{table}.parquet` and `report.json`; an earlier
    result there is replaced. An optional table without a valid row isn't written: no knowledge
    must not look like knowledge of nothing. Memory stays bounded however long the tables are.

    Raises:
        DataError: a table is broken as a whole, or a required one has no valid row.
        StorageError: the disk refuses; what stood at `out` is still there.
    """
    refuse_overlap(source, out)
    with raise_storage_errors():
        found = find_tables(source)
    with publish_directory(out, has_report) as partial:
        # Beside the result, not in the system's own place: that one may be small.
        with tempfile.TemporaryDirectory(dir=partial, prefix=".work-") as work:
            report = _validate_tables(found, Path(work), partial, progress)
        (partial / REPORT_FILE).write_text(report.to_json(), encoding="utf-8")
    return report


def _validate_tables(
    found: Source, work: Path, out: Path, progress: ProgressCallback
) -> ValidationReport:
    by_name = {source.table.name: source for source in found.tables}
    rows_read = {}
    with open_ledger(work / "spill") as ledger:
        for table in TABLES:
            ledger.begin(table)
            checked = work / f"{table.name}.parquet"
            if table.name in by_name:
                rows_read[table.name] = check_rows(by_name[table.name], ledger, checked, progress)
            ledger.show(table, checked if checked.exists() else None)
        apply_rules(ledger, frozenset(by_name))
        tables = tuple(
            _write_table(by_name[name], rows, ledger, (work / f"{name}.parquet", out))
            for name, rows in rows_read.items()
        )
    return ValidationReport(
        source=found.name,
        tables=tables,
        absent=found.absent,
        ignored=found.ignored[:MAX_NAMES],
        ignored_more=max(len(found.ignored) - MAX_NAMES, 0),
    )


def _write_table(
    source: TableSource, rows_read: int, ledger: FaultLedger, paths: tuple[Path, Path]
) -> TableReport:
    """Write the valid and the quarantined rows of a table; return its account."""
    table, (checked, out) = source.table, paths
    rows_quarantined, rows_dropped = ledger.counts(table)
    removed = ledger.find_removed_rows(table)
    rows_valid = write_valid_rows(table, checked, removed, out / f"{table.name}.parquet")
    times = read_event_times(ledger, table)
    account = TableReport(
        name=table.name,
        rows_read=rows_read,
        rows_valid=rows_valid,
        rows_dropped=rows_dropped,
        rows_quarantined=rows_quarantined,
        quarantined=tuple(QuarantineReason(*why) for why in ledger.reasons(table, MAX_EXAMPLES)),
        first_event=times.first_event,
        last_event=times.last_event,
        null_available_at=times.null_available_at,
        warnings=(*_source_warnings(source, rows_valid), *find_warnings(ledger, table, times)),
    )
    refuse_unusable(table, account)
    if rows_quarantined:
        (out / QUARANTINE).mkdir(exist_ok=True)
        path = out / QUARANTINE / f"{table.name}.parquet"
        write_quarantine(source, ledger.reasons_by_row(table), path)
    return account


def _source_warnings(source: TableSource, rows_valid: int) -> list[str]:
    warnings = []
    if source.extra_columns:
        warnings.append(f"columns not in the contract, ignored: {join_names(source.extra_columns)}")
    if rows_valid == 0:
        warnings.append("no valid row: the table counts as absent")
    return warnings
