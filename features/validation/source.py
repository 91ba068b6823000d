"""Which files of a source directory hold which table of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from features.contract.columns import Table, column_kind
from features.contract.errors import (
    AmbiguousTableError,
    DuplicateColumnsError,
    MissingColumnsError,
    MissingTablesError,
    SourceNotFoundError,
    WrongTypeError,
)
from features.contract.tables import TABLE_BY_NAME, TABLES
from features.validation.casting import is_castable
from features.validation.table_files import SUFFIXES, RawBatch, read_batches, read_column_types

OWN_NAMES: Final = frozenset({"import.json", "quarantine.parquet", "quarantine", "report.json"})
"""What our own imports and checks put beside the tables: no surprise to report."""


@dataclass(frozen=True)
class TableSource:
    """The files of one table, in the order of their names."""

    table: Table
    files: tuple[Path, ...]
    extra_columns: tuple[str, ...]
    """Columns that the contract doesn't know: kept in quarantine, otherwise ignored."""

    def batches(self) -> Iterator[RawBatch]:
        """Read all rows in source order; row numbers run on from file to file, from 1."""
        rows_before = 0
        for file in self.files:
            for batch in read_batches(file, rows_before):
                rows_before += batch.cells.num_rows
                yield batch


@dataclass(frozen=True)
class Source:
    """What a source directory holds of the contract, and what else lies there."""

    name: str
    tables: tuple[TableSource, ...]
    ignored: tuple[str, ...]

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the optional tables that aren't there, in contract order."""
        present = {source.table.name for source in self.tables}
        return tuple(table.name for table in TABLES if table.name not in present)


def find_tables(directory: Path) -> Source:
    """Find the tables of a directory and check that their columns can be read.

    No row is read yet. What the contract doesn't know is reported as ignored.

    Raises:
        SourceNotFoundError: there is no such directory.
        MissingTablesError: a required table isn't there.
        AmbiguousTableError: a table is there twice.
        MissingColumnsError, DuplicateColumnsError, WrongTypeError: columns are broken.
        UnreadableFileError: a file isn't what its name says.
    """
    if not directory.is_dir():
        raise SourceNotFoundError(directory)
    entries = sorted(path for path in directory.iterdir() if _is_visible(path.name))
    by_table = {
        table.name: [path for path in entries if _table_name(path) == table.name]
        for table in TABLES
    }
    ignored = [path.name for path in entries if _table_name(path) not in TABLE_BY_NAME]
    present = [name for name, paths in by_table.items() if paths]
    missing = [table.name for table in TABLES if table.is_required and table.name not in present]
    if missing:
        raise MissingTablesError(missing, present or ignored)
    tables = tuple(_open_table(TABLE_BY_NAME[name], by_table[name]) for name in present)
    strays = [name for source in present for name in _find_strays(by_table[source][0])]
    surprising = [name for name in (*ignored, *strays) if name not in OWN_NAMES]
    return Source(name=directory.resolve().name, tables=tables, ignored=tuple(surprising))


def _is_visible(name: str) -> bool:
    """Leave out what file systems and engines hide, such as `.crc` files and `_SUCCESS`."""
    return not name.startswith((".", "_"))


def _table_name(path: Path) -> str | None:
    if path.is_dir():
        return path.name
    return path.stem if path.suffix.lower() in SUFFIXES else None


def _data_files(folder: Path) -> list[Path]:
    files = (path for path in folder.iterdir() if path.is_file() and _is_visible(path.name))
    return sorted(path for path in files if path.suffix.lower() in SUFFIXES)


def _find_strays(path: Path) -> list[str]:
    """Name what lies in a table's folder and isn't a data file."""
    if not path.is_dir():
        return []
    others = {entry for entry in path.iterdir() if _is_visible(entry.name)} - set(_data_files(path))
    return sorted(f"{path.name}/{entry.name}" for entry in others)


def _open_table(table: Table, paths: list[Path]) -> TableSource:
    if len(paths) > 1:
        raise AmbiguousTableError(table.name, paths)
    files = _data_files(paths[0]) if paths[0].is_dir() else paths
    extra: dict[str, None] = {}
    for file in files:
        extra |= dict.fromkeys(_check_columns(table, file))
    return TableSource(table=table, files=tuple(files), extra_columns=tuple(extra))


def _check_columns(table: Table, file: Path) -> list[str]:
    """Refuse a file whose columns are broken; return those the contract doesn't know."""
    types = read_column_types(file)
    names = [name for name, _ in types]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise DuplicateColumnsError(file, twice)
    required = (name for name, column in table.columns.items() if column.required)
    missing = [name for name in required if names and name not in names]
    if missing:
        raise MissingColumnsError(file, table.name, missing, names)
    for name, arrow_type in types:
        if name in table.columns and not is_castable(column_kind(table.columns[name]), arrow_type):
            kind = column_kind(table.columns[name])
            raise WrongTypeError(table.name, name, kind, f"the Parquet type {arrow_type}")
    return [name for name in names if name not in table.columns]
