"""Read one Parquet or CSV file in batches, without casting its cells."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features.contract.errors import UnreadableFileError
from features.files.csv_rows import read_csv_rows, read_header
from features.files.headers import clean_name, clean_names

SUFFIXES: Final = frozenset({".parquet", ".csv"})
BATCH_ROWS: Final = 250_000
"""Rows in memory at a time; docs/decisions/validation-batch-rows.md."""


@dataclass(frozen=True)
class RawBatch:
    """Some rows of a file: `cells` has the file's columns, all text for CSV.

    `row_numbers` (int64) counts the table's rows from 1 without gaps. `is_malformed` (bool)
    marks CSV rows with too few or too many cells.
    """

    cells: pa.Table
    row_numbers: npt.NDArray[np.int64]
    is_malformed: npt.NDArray[np.bool_]


def read_column_types(file: Path) -> list[tuple[str, pa.DataType]]:
    """Return the cleaned name and the type of each column in file order; CSV columns are text.

    The list is empty for an empty CSV file.
    """
    with _refuse_unreadable(file):
        if _is_csv(file):
            return [(name, pa.string()) for name in clean_names(read_header(file)[0])]
        return [(clean_name(field.name), field.type) for field in pq.read_schema(file)]


def read_batches(file: Path, rows_before: int, batch_rows: int = BATCH_ROWS) -> Iterator[RawBatch]:
    """Read a file in order, in batches of 1 to `batch_rows` rows with cleaned column names.

    `rows_before` counts the rows of the table's earlier files.

    Raises:
        UnreadableFileError: the file isn't Parquet, or isn't UTF-8 CSV.
    """
    with _refuse_unreadable(file):
        read = read_csv_rows(file) if _is_csv(file) else _read_parquet_rows(file, batch_rows)
        for cells, is_malformed in read:
            named = cells.rename_columns(clean_names(cells.column_names))
            for start in range(0, cells.num_rows, batch_rows):
                part = named.slice(start, batch_rows)
                numbers = np.arange(1, part.num_rows + 1, dtype=np.int64) + rows_before
                yield RawBatch(part, numbers, is_malformed[start : start + batch_rows])
                rows_before += part.num_rows


def _is_csv(file: Path) -> bool:
    return file.suffix.lower() == ".csv"


@contextmanager
def _refuse_unreadable(file: Path) -> Iterator[None]:
    """Raise the libraries' errors about broken bytes as `UnreadableFileError`."""
    file_format = "UTF-8 CSV with commas" if _is_csv(file) else "Parquet"
    try:
        yield
    except (UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise UnreadableFileError(file, f"it isn't {file_format}") from error
    except OSError as error:
        if error.errno is not None:  # the disk is the cause, not the bytes
            error.filename = str(file)  # Arrow leaves it out
            raise
        raise UnreadableFileError(file, "its bytes are damaged") from error


def _read_parquet_rows(
    file: Path, batch_rows: int
) -> Iterator[tuple[pa.Table, npt.NDArray[np.bool_]]]:
    # pre_buffer would hold a whole row group in memory, which may be the whole file.
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        for batch in parquet.iter_batches(batch_rows):
            if batch.num_rows:
                batch.validate(full=True)
                yield pa.Table.from_batches([batch]), np.zeros(batch.num_rows, dtype=np.bool_)
