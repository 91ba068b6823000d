"""Find the data files below a table's folder, and the columns that its folders' names hold."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from features.contract.errors import TableFormatError
from features.files.headers import clean_name
from features.files.table_files import SUFFIXES
from features.runtime.text import PYTHON, quote_path

_NULL_PARTITION: Final = "__HIVE_DEFAULT_PARTITION__"
_BY_DUCKDB: Final = (
    "{python} -c \"import sys, duckdb; duckdb.table_function('{function}', [sys.argv[1]])"
    '.write_parquet(sys.argv[2])" {folder} {new}'
)
_BY_SPARK: Final = "spark.read.format('{format}').load({text!a}).write.parquet({new_text!a})"
_TABLE_FORMATS: Final = (
    ("_delta_log", "Delta Lake", _BY_DUCKDB.replace("{function}", "delta_scan")),
    (
        "metadata/*.metadata.json",
        "Apache Iceberg",
        _BY_DUCKDB.replace("{function}", "iceberg_scan"),
    ),
    (".hoodie", "Apache Hudi", _BY_SPARK.replace("{format}", "hudi")),
    ("_spark_metadata", "a Spark stream's output", _BY_SPARK.replace("{format}", "parquet")),
)
"""What the folder of such a table holds, and the command that writes its current rows."""


def is_visible(name: str) -> bool:
    """Return False for names that file systems and engines hide, such as `.crc` and `_SUCCESS`."""
    return not name.startswith((".", "_"))


def is_data_file(path: Path) -> bool:
    """Return True for a path that isn't a folder and is named as a table's file."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def find_files(path: Path) -> tuple[list[Path], list[Path]]:
    """Return the data files of a table and the other entries of its folder, each in order.

    Folders below are searched too. CSV files of 0 bytes, which engines leave for parts without
    rows, are left out beside others.

    Raises:
        TableFormatError: the folder holds old rows too, and only its log tells which.
    """
    if not path.is_dir():
        return [path], []
    _refuse_table_format(path)
    entries = _walk(path)
    files = [entry for entry in entries if is_data_file(entry)]
    filled = [file for file in files if not _is_part_without_rows(file)]
    return filled or files, [entry for entry in entries if not is_data_file(entry)]


def _is_part_without_rows(file: Path) -> bool:
    return file.suffix.lower() == ".csv" and file.is_file() and file.stat().st_size == 0


def _walk(top: Path) -> list[Path]:
    """Return the visible files below a folder in order, and links to folders that it has anyway.

    Links are followed last, and each folder is searched once, so that no file is read twice.
    """
    found: list[Path] = []
    pending, searched = deque([top]), set()
    while pending:
        folder = pending.popleft()
        if folder.resolve() in searched:
            found.append(folder)
            continue
        searched.add(folder.resolve())
        for entry in folder.iterdir():
            if not is_visible(entry.name):
                continue
            if not entry.is_dir():
                found.append(entry)
            elif entry.is_symlink():
                pending.append(entry)
            else:
                pending.appendleft(entry)
    return sorted(found)


def _refuse_table_format(folder: Path) -> None:
    for pattern, kind, command in _TABLE_FORMATS:
        if next(folder.glob(pattern), None):
            new = folder.with_name(f"{folder.name}.snapshot.parquet")
            raise TableFormatError(
                folder,
                kind,
                command.format(
                    python=PYTHON,
                    folder=quote_path(folder),
                    new=quote_path(new),
                    text=str(folder),
                    new_text=str(new),
                ),
            )


def read_partitions(file: Path, table: Path) -> dict[str, str | None]:
    """Return the columns that the folders between a table and its file hold, as Hive writes them.

    >>> read_partitions(Path("orders/market=US/day=1%2F2/part-0.csv"), Path("orders"))
    {'market': 'US', 'day': '1/2'}
    """
    folders = file.relative_to(table).parts[:-1]
    pairs = (folder.partition("=") for folder in folders if "=" in folder)
    return {
        clean_name(unquote(name)): None if value == _NULL_PARTITION else unquote(value)
        for name, _, value in pairs
    }
