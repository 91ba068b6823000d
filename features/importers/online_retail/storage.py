"""Write an import as files, and recognise the files of an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from features.contract.tables import LISTINGS, ORDERS, PRICES, PRODUCTS, RETURNS, TABLE_BY_NAME
from features.importers.online_retail.importer import ImportResult
from features.importers.online_retail.report import FORMAT, ImportReport

REPORT_FILE: Final = "import.json"
QUARANTINE_FILE: Final = "quarantine.parquet"
_TABLE_FILES: Final = frozenset(
    f"{table.name}.parquet" for table in (PRODUCTS, LISTINGS, PRICES, ORDERS, RETURNS)
)
IMPORT_FILES: Final = _TABLE_FILES | {REPORT_FILE, QUARANTINE_FILE}


def encode_report(report: ImportReport) -> bytes:
    """Return the report as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def is_import(directory: Path) -> bool:
    """Return True for a directory that holds an import and no other file."""
    names = {entry.name for entry in directory.iterdir()}
    return names <= IMPORT_FILES and _is_report(directory / REPORT_FILE)


def write_import(imported: ImportResult, directory: Path) -> None:
    """Write the tables, the quarantine and the report into an empty directory.

    An optional table without rows isn't written, so that it counts as absent.
    """
    for name, table in imported.tables.items():
        if table.num_rows or TABLE_BY_NAME[name].is_required:
            _write_table(table, directory / f"{name}.parquet")
    _write_table(imported.quarantine, directory / QUARANTINE_FILE)
    (directory / REPORT_FILE).write_bytes(encode_report(imported.report))


def _is_report(path: Path) -> bool:
    try:
        document = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except (OSError, msgspec.MsgspecError):
        return False
    return document.get("format") == FORMAT


def _write_table(table: pa.Table, path: Path) -> None:
    pa_parquet.write_table(table, path, compression="zstd")
