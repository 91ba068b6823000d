"""Find the files of each table of the contract in a source directory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from features.cells.casting import is_castable
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
from features.files.table_files import (
    BATCH_ROWS,
    SUFFIXES,
    RawBatch,
    read_batches,
    read_column_types,
)
from features.runtime.text import escape

OWN_NAMES: Final = frozenset({"import.json", "quarantine.parquet", "quarantine", "report.json"})
"""Files that imports and checks of this program write beside the tables: not reported."""


@dataclass(frozen=True)
class TableSource:
    """The files of one table, in the order of their names."""

    table: Table
    files: tuple[Path, ...]
    extra_columns: tuple[str, ...]
    """Columns outside the contract: kept in the quarantine, otherwise ignored."""

    def batches(self) -> Iterator[RawBatch]:
        """Read all rows in source order; row numbers start at 1 and continue from file to file."""
        rows_before = 0
        for file in self.files:
            for batch in read_batches(file, rows_before, BATCH_ROWS):
                rows_before += batch.cells.num_rows
                yield batch


@dataclass(frozen=True)
class Source:
    """The tables of a source directory, and the names of its other files."""

    name: str
    tables: tuple[TableSource, ...]
    ignored: tuple[str, ...]

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the names of the absent optional tables in contract order."""
        present = {source.table.name for source in self.tables}
        return tuple(table.name for table in TABLES if table.name not in present)


def find_tables(directory: Path) -> Source:
    """Find the tables of a directory and check their columns, without reading rows.

    Files outside the contract are reported as ignored.

    Raises:
        SourceNotFoundError: the directory doesn't exist.
        MissingTablesError: a required table is absent.
        AmbiguousTableError: a table occurs more than once.
        MissingColumnsError: a file lacks a required column.
        DuplicateColumnsError: a file has two columns of the same name.
        WrongTypeError: a column has a type that can't be cast.
        UnreadableFileError: a file isn't in the format of its name.
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
    unknown = [name for name in (*ignored, *strays) if name not in OWN_NAMES]
    return Source(name=directory.resolve().name, tables=tables, ignored=tuple(unknown))


def _is_visible(name: str) -> bool:
    """Return False for names that file systems and engines hide, such as `.crc` and `_SUCCESS`."""
    return not name.startswith((".", "_"))


def _table_name(path: Path) -> str | None:
    if path.is_dir():
        return path.name
    return path.stem if path.suffix.lower() in SUFFIXES else None


def _data_files(folder: Path) -> list[Path]:
    files = (path for path in folder.iterdir() if path.is_file() and _is_visible(path.name))
    return sorted(path for path in files if path.suffix.lower() in SUFFIXES)


def _find_strays(path: Path) -> list[str]:
    """Return the names of a table's folder that aren't data files."""
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
    """Refuse a file with broken columns; return the names of columns outside the contract."""
    types = read_column_types(file)
    names = [name for name, _ in types]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise DuplicateColumnsError(file, repeated)
    required = (name for name, column in table.columns.items() if column.required)
    missing = [name for name in required if names and name not in names]
    if missing:
        raise MissingColumnsError(file, table.name, missing, names)
    for name, arrow_type in types:
        if name in table.columns and not is_castable(column_kind(table.columns[name]), arrow_type):
            kind = column_kind(table.columns[name])
            raise WrongTypeError(
                table.name, name, kind, f"it has the Parquet type {escape(str(arrow_type))}"
            )
    return [name for name in names if name not in table.columns]
