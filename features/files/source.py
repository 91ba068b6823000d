"""Find the files of each table of the contract in a source directory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from features.cells.casting import is_castable
from features.contract.columns import Table, column_kind
from features.contract.errors import (
    AmbiguousTableError,
    DuplicateColumnsError,
    HeaderNotFirstError,
    MissingColumnsError,
    MissingTablesError,
    NoHeaderError,
    QuotedLinesError,
    SourceNotFoundError,
    UnevenRowsError,
    WrongTypeError,
)
from features.contract.tables import TABLE_BY_NAME, TABLES
from features.files.csv_dialect import split_line
from features.files.headers import clean_names
from features.files.misnamed import find_misnamed, refuse_misnamed, refuse_unread_parts
from features.files.table_files import (
    BATCH_ROWS,
    SUFFIXES,
    RawBatch,
    describe_separator,
    find_header_line,
    read_batches,
    read_column_types,
)
from features.files.table_folders import find_files, is_visible, read_partitions
from features.runtime.text import escape, escape_path, fold_name

OWN_NAMES: Final = frozenset({"import.json", "quarantine.parquet", "quarantine", "report.json"})
"""Files that imports and checks of this program write beside the tables: not reported."""

_UNREAD: Final = "isn't read because of its name; it may hold more rows of this table"
_VALUE: Final = re.compile(r"[+-]?\d[\d.,:\-/T ]*")
"""What no column is named: a number, a date or a time."""


@dataclass(frozen=True)
class TableSource:
    """The files of one table, in the order of their names.

    `path` is the file or folder of the table. `extra_columns` are outside the contract: kept in
    the quarantine, otherwise ignored. `notes` say how a file was read that isn't as usual.
    """

    table: Table
    path: Path
    files: tuple[Path, ...]
    extra_columns: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def batches(self) -> Iterator[RawBatch]:
        """Read all rows in source order; row numbers start at 1 and continue from file to file.

        Raises:
            UnevenRowsError: no row has as many cells as the header.
        """
        rows_before, malformed = 0, 0
        for file in self.files:
            partitions = read_partitions(file, self.path)
            for batch in read_batches(file, rows_before, BATCH_ROWS):
                rows_before += batch.cells.num_rows
                malformed += int(batch.is_malformed.sum())
                yield _add_partitions(batch, partitions)
        if rows_before == malformed > 0:
            raise UnevenRowsError(self.table.name, malformed)


def _add_partitions(batch: RawBatch, partitions: Mapping[str, str | None]) -> RawBatch:
    """Add the columns that the folders' names hold, as text, unless the file has them itself."""
    cells = batch.cells
    for name, value in partitions.items():
        if name not in cells.column_names:
            column = pa.repeat(pa.scalar(value, pa.string()), cells.num_rows)
            cells = cells.append_column(name, column)
    return replace(batch, cells=cells)


@dataclass(frozen=True)
class Source:
    """The tables of a source directory, and the escaped names of its other files."""

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
        MisnamedTableError: a table is absent, but a file has nearly its name.
        MissingTablesError: a required table is absent.
        AmbiguousTableError: a table occurs more than once.
        UnreadPartsError: a table's folder holds data files of other names.
        TableFormatError: a folder is a Delta table or the like.
        MissingColumnsError: a file lacks a required column.
        HeaderNotFirstError: it has the columns, but not in its first line.
        QuotedLinesError: each line is one cell in quotes.
        NoHeaderError: its first line holds values.
        DuplicateColumnsError: a file has two columns of the same name.
        WrongTypeError: a column has a type that can't be cast.
        UnreadableFileError: a file isn't in a format that is read.
    """
    if not directory.is_dir():
        raise SourceNotFoundError(directory)
    entries = sorted(path for path in directory.iterdir() if is_visible(path.name))
    by_table = {
        table.name: [path for path in entries if _table_name(path) == table.name]
        for table in TABLES
    }
    others = [path for path in entries if _table_name(path) not in TABLE_BY_NAME]
    present = [name for name, paths in by_table.items() if paths]
    refuse_misnamed(others, [table.name for table in TABLES if table.name not in present])
    missing = [table.name for table in TABLES if table.is_required and table.name not in present]
    if missing:
        raise MissingTablesError(missing, present, [path.name for path in others])
    opened = [_open_table(TABLE_BY_NAME[name], by_table[name], others) for name in present]
    strays = [stray for _, strays in opened for stray in strays]
    names = [str(path.relative_to(directory)) for path in (*others, *strays)]
    return Source(
        name=escape_path(directory.resolve().name),
        tables=tuple(table for table, _ in opened),
        ignored=tuple(escape_path(name) for name in names if name not in OWN_NAMES),
    )


def _table_name(path: Path) -> str | None:
    is_named = path.suffix.lower() in SUFFIXES  # Spark's folders are named like files
    return path.stem if is_named else path.name if path.is_dir() else None


def _open_table(
    table: Table, paths: list[Path], others: list[Path]
) -> tuple[TableSource, list[Path]]:
    """Return a table, and the entries of its folder that it doesn't hold."""
    if len(paths) > 1:
        raise AmbiguousTableError(table.name, paths)
    path = paths[0]
    files, strays = find_files(path)
    refuse_unread_parts(path, strays)
    extra: dict[str, None] = {}
    for file in files:
        extra |= dict.fromkeys(check_columns(table, file, read_partitions(file, path)))
    notes = tuple(note for file in files for note in _note_separator(file))
    similar = find_misnamed(others, [table.name])
    notes = (*(f"{escape(other.name)} {_UNREAD}" for other, _ in similar), *notes)
    return TableSource(table, path, tuple(files), tuple(extra), notes), strays


def _note_separator(file: Path) -> Iterator[str]:
    separator = describe_separator(file)
    if separator is not None:
        yield f"{escape(file.name)} was read with {separator} between its cells"


def check_columns(table: Table, file: Path, partitions: Mapping[str, str | None]) -> list[str]:
    """Refuse a file with broken columns; return the names of columns outside the contract."""
    columns = read_column_types(file)
    types = dict.fromkeys(partitions, pa.string()) | dict(columns)
    required = [name for name, column in table.columns.items() if column.required]
    missing = [name for name in required if columns and name not in types]
    if missing:
        _refuse_misplaced_header(table, file, required, list(types))
    _refuse_repeated(file, [name for name, _ in columns])
    if missing:
        raise MissingColumnsError(file, table.name, missing, list(types))
    for name, arrow_type in types.items():
        if name in table.columns and not is_castable(column_kind(table.columns[name]), arrow_type):
            kind = column_kind(table.columns[name])
            raise WrongTypeError(
                table.name, name, kind, f"it has the Parquet type {escape(str(arrow_type))}"
            )
    return [name for name in types if name not in table.columns]


def _refuse_repeated(file: Path, names: list[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DuplicateColumnsError(file, repeated)


def _refuse_misplaced_header(
    table: Table, file: Path, required: list[str], names: list[str]
) -> None:
    """Refuse a file whose first line isn't the header, if the other lines or values show it."""
    if len(names) == 1 and {*required} <= {*clean_names(split_line(names[0]))}:
        raise QuotedLinesError(file)
    line = find_header_line(file, set(required))
    if line is not None:
        raise HeaderNotFirstError(file, line)
    known = {fold_name(name) for name in table.columns}
    is_known = any(fold_name(name) in known for name in names)
    if not is_known and any(_VALUE.fullmatch(name) for name in names):
        raise NoHeaderError(file, table.name, required)
