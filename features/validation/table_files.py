"""Reading one Parquet or CSV file in batches, as it stands there."""

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
from features.validation.csv_rows import read_csv_rows, read_header

SUFFIXES: Final = frozenset({".parquet", ".csv"})
BATCH_ROWS: Final = 250_000
"""Rows held at once: some 100 MB at the width of the contract's tables."""


@dataclass(frozen=True)
class RawBatch:
    """Rows as read: `cells` has the file's columns, all text if it is CSV.

    `row_numbers` (int64) counts the table's rows from 1, without a gap. `is_malformed` (bool)
    marks CSV rows with too few or too many cells.
    """

    cells: pa.Table
    row_numbers: npt.NDArray[np.int64]
    is_malformed: npt.NDArray[np.bool_]


def read_column_types(file: Path) -> list[tuple[str, pa.DataType]]:
    """Return name and type of each column in file order; CSV columns are text.

    An empty list means that a CSV file has nothing in it, not even a header.
    """
    with _refuse_unreadable(file):
        if _is_csv(file):
            return [(name, pa.string()) for name in read_header(file)[0]]
        return [(field.name, field.type) for field in pq.read_schema(file)]


def read_batches(file: Path, rows_before: int) -> Iterator[RawBatch]:
    """Read a file in bounded batches, in order; none of them is empty.

    Raises:
        UnreadableFileError: the file isn't Parquet, or isn't UTF-8 CSV.
    """
    with _refuse_unreadable(file):
        for cells, is_malformed in (
            read_csv_rows(file) if _is_csv(file) else _read_parquet_rows(file)
        ):
            rows_after = rows_before + cells.num_rows
            numbers = np.arange(rows_before + 1, rows_after + 1, dtype=np.int64)
            yield RawBatch(cells, numbers, is_malformed)
            rows_before = rows_after


def _is_csv(file: Path) -> bool:
    return file.suffix.lower() == ".csv"


@contextmanager
def _refuse_unreadable(file: Path) -> Iterator[None]:
    """Turn what the libraries say about broken bytes into an error about the file."""
    expected = "UTF-8 CSV with commas" if _is_csv(file) else "Parquet"
    try:
        yield
    except (UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise UnreadableFileError(file, expected, "bytes that can't be read so") from error
    except OSError as error:
        if error.errno is not None:  # the disk, not the bytes
            error.filename = str(file)  # Arrow doesn't say
            raise
        raise UnreadableFileError(file, expected, "damaged bytes") from error


def _read_parquet_rows(file: Path) -> Iterator[tuple[pa.Table, npt.NDArray[np.bool_]]]:
    # pre_buffer would hold a whole row group, which may be the whole file.
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        for batch in parquet.iter_batches(BATCH_ROWS):
            if batch.num_rows:
                batch.validate(full=True)
                yield pa.Table.from_batches([batch]), np.zeros(batch.num_rows, dtype=np.bool_)
