"""Writing an import: all of it, or nothing."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from experiments.online_retail.importer import Import
from experiments.online_retail.report import FORMAT, ImportReport
from features.errors import StorageError
from features.tables import LISTINGS, ORDERS, PRICES, PRODUCTS, RETURNS

REPORT_FILE: Final = "import.json"
QUARANTINE_FILE: Final = "quarantine.parquet"
_TABLE_FILES: Final = frozenset(
    f"{table.name}.parquet" for table in (PRODUCTS, LISTINGS, PRICES, ORDERS, RETURNS)
)
IMPORT_FILES: Final = _TABLE_FILES | {REPORT_FILE, QUARANTINE_FILE}
_MOST_SHOWN: Final = 5


class ForeignDirectoryError(StorageError):
    """Refuse to replace a directory that isn't wholly an import."""

    def __init__(self, directory: Path, found: list[str]) -> None:
        """Name a few of the files that stand in the way."""
        first = sorted(found)[:_MOST_SHOWN]
        shown = ", ".join(name if name.isprintable() else ascii(name) for name in first)
        more = ", …" if len(found) > _MOST_SHOWN else ""
        super().__init__(
            expected=f"an earlier import, an empty directory or nothing at {directory}",
            found=f"{shown}{more}",
            way_out="Name another directory with --out, or move what is there.",
        )


class UnwritableError(StorageError):
    """Report that the system didn't let an import be written; what was there is untouched."""

    def __init__(self, directory: Path, detail: str) -> None:
        """Name the directory and what the system says about it."""
        super().__init__(
            expected=f"room and permission to write {directory}",
            found=detail,
            way_out="Free space or name another directory with --out, then import again.",
        )


def encode_report(report: ImportReport) -> bytes:
    """Return the report as JSON for people and programs."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def check_directory(directory: Path) -> None:
    """Check that an import may be written to a directory, before time is spent on it.

    Raises:
        ForeignDirectoryError: something else than an import stands there.
        UnwritableError: the system doesn't let us look.
    """
    try:
        names = {entry.name for entry in directory.iterdir()}
    except FileNotFoundError:
        return
    except NotADirectoryError as error:
        raise ForeignDirectoryError(directory, ["a file"]) from error
    except OSError as error:
        raise UnwritableError(directory, error.strerror or str(error)) from error
    if names and not (names <= IMPORT_FILES and _is_report(directory / REPORT_FILE)):
        raise ForeignDirectoryError(directory, sorted(names - IMPORT_FILES) or sorted(names))


def write_import(imported: Import, directory: Path) -> None:
    """Write the tables, the quarantine and the report, replacing an earlier import.

    Written beside the directory first and then renamed, so that nobody sees half an import.

    Raises:
        ForeignDirectoryError: something else than an import stands there.
        UnwritableError: the system refused; an earlier import is still there.
    """
    target = directory.resolve()
    check_directory(target)
    staging = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        staging.mkdir(parents=True)
        _write_files(imported, staging)
        _swap(staging, target)
    except OSError as error:
        raise UnwritableError(directory, error.strerror or str(error)) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_report(path: Path) -> bool:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except (OSError, msgspec.MsgspecError):
        return False
    return found.get("format") == FORMAT


def _write_files(imported: Import, directory: Path) -> None:
    for name, table in imported.tables.items():
        _write_table(table, directory / f"{name}.parquet")
    _write_table(imported.quarantine, directory / QUARANTINE_FILE)
    (directory / REPORT_FILE).write_bytes(encode_report(imported.report))


def _write_table(table: pa.Table, path: Path) -> None:
    pa_parquet.write_table(table, path, compression="zstd")


def _swap(staging: Path, target: Path) -> None:
    if not target.exists():
        staging.rename(target)
        return
    earlier = staging.with_name(f"{staging.name}.earlier")
    target.rename(earlier)
    try:
        staging.rename(target)
    except OSError:
        earlier.rename(target)
        raise
    shutil.rmtree(earlier)
