"""Read one file of a table in batches, without casting its cells: CSV, Parquet or Excel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.contract.errors import UnreadableFileError
from features.files.csv_dialect import BLOCK_BYTES, OTHER_SEPARATORS, read_dialect, read_first_lines
from features.files.csv_rows import read_csv_rows
from features.files.file_format import DOWNLOAD_AGAIN, FileFormat, detect_format
from features.files.headers import clean_name, clean_names
from features.files.parquet_rows import read_parquet_rows, read_parquet_schema
from features.files.workbook_rows import (
    read_first_rows,
    read_workbook_header,
    read_workbook_rows,
)
from features.runtime.refusals import NotEnoughMemoryError

SUFFIXES: Final = frozenset({".parquet", ".csv", ".xlsx"})
BATCH_ROWS: Final = 250_000
"""Rows in memory at a time; docs/decisions/validation-batch-rows.md."""

_FIRST_ROWS: Final = 100
_ROW_BYTES: Final = 1 << 8
_SMALLEST_BLOCK: Final = 1 << 20

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RawBatch:
    """Some rows of a file: `cells` has the file's columns, all text for CSV and Excel.

    `row_numbers` (int64) counts the table's rows from 1 without gaps. `is_malformed` (bool)
    marks rows with too few or too many cells.
    """

    cells: pa.Table
    row_numbers: npt.NDArray[np.int64]
    is_malformed: Mask


def read_column_types(file: Path) -> list[tuple[str, pa.DataType]]:
    """Return the cleaned name and the type of each column in file order.

    Columns of CSV and Excel are text. The list is empty for a file of blank lines alone. The
    content tells the format, so that the name of the file doesn't matter.

    Raises:
        UnreadableFileError: the file is of another format, or damaged.
        TooManyColumnsError: it has more columns than any table needs.
        NotEnoughMemoryError: memory is used up.
    """
    with _refuse_unreadable(file):
        return _read_types(file, detect_format(file))


def _read_types(file: Path, file_format: FileFormat) -> list[tuple[str, pa.DataType]]:
    if file_format is FileFormat.PARQUET:
        return [(clean_name(field.name), field.type) for field in read_parquet_schema(file)]
    if file_format is FileFormat.WORKBOOK:
        return [(name, pa.string()) for name in read_workbook_header(file)]
    return [(name, pa.string()) for name in read_dialect(file).names]


def read_batches(file: Path, rows_before: int, batch_rows: int = BATCH_ROWS) -> Iterator[RawBatch]:
    """Read a file in order, in batches of 1 to `batch_rows` rows with cleaned column names.

    `rows_before` counts the rows of the table's earlier files.

    Raises:
        UnreadableFileError: the file is of another format, or damaged.
        TooManyColumnsError: it has more columns than any table needs.
        NotEnoughMemoryError: memory is used up.
    """
    with _refuse_unreadable(file):
        for cells, is_malformed in _read_rows(file, detect_format(file), batch_rows):
            named = cells.rename_columns(clean_names(cells.column_names))
            for start in range(0, cells.num_rows, batch_rows):
                part = named.slice(start, batch_rows)
                numbers = np.arange(1, part.num_rows + 1, dtype=np.int64) + rows_before
                yield RawBatch(part, numbers, is_malformed[start : start + batch_rows])
                rows_before += part.num_rows


def _read_rows(
    file: Path, file_format: FileFormat, batch_rows: int
) -> Iterator[tuple[pa.Table, Mask]]:
    if file_format is FileFormat.PARQUET:
        for cells in read_parquet_rows(file, batch_rows):
            yield cells, np.zeros(cells.num_rows, dtype=np.bool_)
    elif file_format is FileFormat.WORKBOOK:
        yield from read_workbook_rows(file, batch_rows)
    else:
        yield from read_csv_rows(file, _choose_block_bytes(batch_rows))


def _choose_block_bytes(batch_rows: int) -> int:
    """Return the bytes of CSV to parse at once: few for small batches, to need little memory."""
    return min(max(batch_rows * _ROW_BYTES, _SMALLEST_BLOCK), BLOCK_BYTES)


def find_header_line(file: Path, names: set[str]) -> int | None:
    """Return the number of the first line that has all these names; None if none has."""
    with _refuse_unreadable(file):
        file_format = detect_format(file)
        if file_format is FileFormat.PARQUET:
            return None
        is_csv = file_format is FileFormat.CSV
        lines = read_first_lines(file) if is_csv else read_first_rows(file, _FIRST_ROWS)
        numbered = enumerate(lines, start=1)
        return next((number for number, line in numbered if names <= {*clean_names(line)}), None)


def describe_separator(file: Path) -> str | None:
    """Return the name of the separator of a CSV file that isn't the comma; else None."""
    with _refuse_unreadable(file):
        if detect_format(file) is not FileFormat.CSV:
            return None
        separator = read_dialect(file).separator
    return None if separator == "," else OTHER_SEPARATORS.get(separator, separator)


@contextmanager
def _refuse_unreadable(file: Path) -> Iterator[None]:
    """Raise the libraries' errors about broken bytes as `UnreadableFileError`."""
    try:
        yield
    except MemoryError as error:
        raise NotEnoughMemoryError(file) from error
    except pa.ArrowException as error:
        raise UnreadableFileError(file, "its bytes are damaged", DOWNLOAD_AGAIN) from error
    except OSError as error:
        if error.errno is not None:  # the disk is the cause, not the bytes
            error.filename = str(file)  # Arrow leaves it out
            raise
        raise UnreadableFileError(file, "its bytes are damaged", DOWNLOAD_AGAIN) from error
