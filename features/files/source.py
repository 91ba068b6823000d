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
    MisnamedTableError,
    MissingColumnsError,
    MissingTablesError,
    NoHeaderError,
    SourceNotFoundError,
    UnevenRowsError,
    WrongTypeError,
)
from features.contract.tables import TABLE_BY_NAME, TABLES
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
from features.runtime.text import escape, escape_path, fold_name, quote_path

OWN_NAMES: Final = frozenset({"import.json", "quarantine.parquet", "quarantine", "report.json"})
"""Files that imports and checks of this program write beside the tables: not reported."""

_RENAME: Final = "Run `mv {file} {new}`."
_UNPACK: Final = "Run `{command} {{file}}`, and name the result like the table."
WAYS_OUT: Final = {
    "": _RENAME,
    **dict.fromkeys(SUFFIXES, _RENAME),
    **dict.fromkeys((".tsv", ".tab", ".txt"), "Run `mv {file} {table}.csv`; tabs are read."),
    **dict.fromkeys((".pq", ".parq"), "Run `mv {file} {table}.parquet`."),
    **dict.fromkeys((".csv.gz", ".tsv.gz", ".parquet.gz"), _UNPACK.format(command="gunzip")),
    **dict.fromkeys((".csv.zst", ".parquet.zst"), _UNPACK.format(command="unzstd --rm")),
    **dict.fromkeys((".csv.bz2", ".csv.xz"), "Unpack it, and name the result like the table."),
    **dict.fromkeys((".zip", ".csv.zip", ".xlsx.zip"), _UNPACK.format(command="unzip")),
    **dict.fromkeys(
        (".xls", ".xlsm", ".xlsb"), "In Excel choose File > Save As > Excel Workbook (.xlsx)."
    ),
    **dict.fromkeys(
        (".json", ".jsonl", ".ndjson"),
        'Run `python -c "import duckdb; '
        "duckdb.read_json('{file}').write_parquet('{table}.parquet')\"`.",
    ),
}
"""By all the endings of a file that is named nearly like a table: how it becomes one."""

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
        TableFormatError: a folder is a Delta table or the like.
        MissingColumnsError: a file lacks a required column.
        HeaderNotFirstError: it has the columns, but not in its first line.
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
    _refuse_misnamed(others, [table.name for table in TABLES if table.name not in present])
    missing = [table.name for table in TABLES if table.is_required and table.name not in present]
    if missing:
        raise MissingTablesError(missing, present or [path.name for path in others])
    tables = tuple(_open_table(TABLE_BY_NAME[name], by_table[name]) for name in present)
    strays = [stray for name in present for stray in find_files(by_table[name][0])[1]]
    names = [str(path.relative_to(directory)) for path in (*others, *strays)]
    return Source(
        name=escape_path(directory.resolve().name),
        tables=tables,
        ignored=tuple(escape_path(name) for name in names if name not in OWN_NAMES),
    )


def _table_name(path: Path) -> str | None:
    is_named = path.suffix.lower() in SUFFIXES  # Spark's folders are named like files
    return path.stem if is_named else path.name if path.is_dir() else None


def _refuse_misnamed(others: list[Path], absent: list[str]) -> None:
    """Refuse a file that is named nearly like an absent table, so that it isn't left out unseen."""
    tables = {_singular(name): name for name in absent}
    for path in others:
        stem, _, end = path.name.partition(".")
        table = tables.get(_singular(stem))
        way_out = WAYS_OUT.get("" if path.is_dir() else f".{end.lower()}")
        if table and way_out:
            new_name = f"{table}.{end.lower()}" if end else table
            names = {"file": quote_path(path.name), "new": new_name, "table": table}
            raise MisnamedTableError(path.name, table, way_out.format(**names))


def _singular(name: str) -> str:
    """Return a name without case, signs and its plural."""
    return re.sub("ie$", "y", fold_name(name).removesuffix("s"))


def _open_table(table: Table, paths: list[Path]) -> TableSource:
    if len(paths) > 1:
        raise AmbiguousTableError(table.name, paths)
    path = paths[0]
    files, _ = find_files(path)
    extra: dict[str, None] = {}
    for file in files:
        extra |= dict.fromkeys(check_columns(table, file, read_partitions(file, path)))
    notes = tuple(note for file in files for note in _note_separator(file))
    return TableSource(table, path, tuple(files), tuple(extra), notes)


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
    line = find_header_line(file, set(required))
    if line is not None:
        raise HeaderNotFirstError(file, line)
    known = {fold_name(name) for name in table.columns}
    is_known = any(fold_name(name) in known for name in names)
    if not is_known and any(_VALUE.fullmatch(name) for name in names):
        raise NoHeaderError(file, table.name, required)
