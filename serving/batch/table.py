"""Read and write tables of candidates as CSV or Parquet, a chunk of rows at a time."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from features.runtime.atomic import write_atomically
from features.runtime.errors import DataError
from features.runtime.text import escape, escape_path

Row = dict[str | None, Any]
CSV: Final = ".csv"
PARQUET: Final = ".parquet"
_WRONG_SUFFIX: Final = "its name ends in neither .csv nor .parquet"
WRONG_LENGTH: Final = None
"""The key that a row has if it has too many or too few cells."""


_SEE_HELP: Final = "`xuanpin score --help` names the columns and formats."


class UnreadableTableError(DataError):
    """Refuse a file that isn't a table of candidates."""

    def __init__(self, path: Path, reason: str, hint: str = _SEE_HELP) -> None:
        super().__init__(
            problem=f"The file {escape_path(path)} can't be used as a table: {reason}.", hint=hint
        )


class FileChangedError(DataError):
    """Refuse a file that got more rows between choosing from it and scoring it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            problem=f"The file {escape(path.name)} has more rows than when the list was chosen.",
            hint="Score it again when nobody writes to it.",
        )


@dataclass(frozen=True)
class CandidateTable:
    """The columns of a file with their Arrow types, and its rows in chunks.

    The cells of a CSV file are text.
    """

    columns: Mapping[str, pa.DataType]
    chunks: Iterator[list[Row]]


@contextmanager
def open_table(path: Path, *, chunk_rows: int) -> Iterator[CandidateTable]:
    """Open a .csv or .parquet file to read chunks of at most `chunk_rows` rows.

    Raises:
        UnreadableTableError: the file is missing, of another format, or broken.
    """
    readers = {CSV: _open_csv, PARQUET: _open_parquet}
    suffix = path.suffix.lower()
    if suffix not in readers:
        raise UnreadableTableError(path, _WRONG_SUFFIX)
    if not path.is_file():
        raise UnreadableTableError(path, "there is no such file", "Check the path.")
    try:
        with readers[suffix](path, chunk_rows) as table:
            yield table
    except (csv.Error, UnicodeDecodeError, pa.ArrowException) as error:
        raise UnreadableTableError(path, f"it is broken ({type(error).__name__})") from error


@contextmanager
def _open_csv(path: Path, chunk_rows: int) -> Iterator[CandidateTable]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        names = next(reader, [])
        _check_names(path, names)
        rows = (_build_row(names, cells) for cells in reader if cells)
        columns = dict.fromkeys(names, pa.string())
        yield CandidateTable(columns, iter(lambda: list(islice(rows, chunk_rows)), []))


def _build_row(names: list[str], cells: list[str]) -> Row:
    row: Row = dict(zip(names, cells, strict=False))
    return row if len(cells) == len(names) else {**row, WRONG_LENGTH: len(cells)}


@contextmanager
def _open_parquet(path: Path, chunk_rows: int) -> Iterator[CandidateTable]:
    with pq.ParquetFile(path) as parquet:
        schema = parquet.schema_arrow
        _check_names(path, schema.names)
        batches = parquet.iter_batches(batch_size=chunk_rows)
        columns = dict(zip(schema.names, schema.types, strict=True))
        yield CandidateTable(columns, (batch.to_pylist() for batch in batches))


def _check_names(path: Path, names: list[str]) -> None:
    if not names:
        raise UnreadableTableError(path, "it has no header")
    for name in names:
        if names.count(name) > 1:
            raise UnreadableTableError(path, f"it has the column {escape(name)} twice")


Write = Callable[[Sequence[Row]], None]

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a cell that starts so (owasp.org, "CSV Injection")."""

_PLAIN_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


@contextmanager
def create_table(path: Path, columns: Mapping[str, pa.DataType]) -> Iterator[Write]:
    """Yield a function that writes rows; the whole file appears when the block ends.

    Raises:
        UnreadableTableError: the name ends in neither .csv nor .parquet.
        StorageError: the disk is full or can't be written; an earlier file stays.
    """
    writers = {CSV: _create_csv, PARQUET: _create_parquet}
    suffix = path.suffix.lower()
    if suffix not in writers:
        raise UnreadableTableError(path, _WRONG_SUFFIX)
    with write_atomically(path) as temporary, writers[suffix](temporary, columns) as write:
        yield write


@contextmanager
def _create_csv(path: Path, columns: Mapping[str, pa.DataType]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)  # RFC 4180: a cell with any part of the line's end is quoted
        writer.writerow([escape_formula(name) for name in columns])

        def write(rows: Sequence[Row]) -> None:
            writer.writerows([escape_formula(row.get(name)) for name in columns] for row in rows)

        yield write


@contextmanager
def _create_parquet(path: Path, columns: Mapping[str, pa.DataType]) -> Iterator[Write]:
    schema = pa.schema(list(columns.items()))
    with pq.ParquetWriter(path, schema) as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(list(rows), schema))


def escape_formula(cell: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Put a `'` before a text that a spreadsheet would take for a formula; keep any other cell."""
    is_text = isinstance(cell, str) and not _PLAIN_NUMBER.fullmatch(cell)
    return f"'{cell}" if is_text and cell.startswith(FORMULA_STARTS) else cell
