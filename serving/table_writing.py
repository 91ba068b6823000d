"""Write scored candidates to CSV and Parquet files, a chunk of rows at a time."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from features.runtime.atomic import replacing
from serving.table_reading import CSV, PARQUET, Row, UnreadableTableError

Write = Callable[[Sequence[Row]], None]

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets run such cells (owasp.org, "CSV Injection")."""

_PLAIN_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


@contextmanager
def create_table(path: Path, columns: Mapping[str, pa.DataType]) -> Iterator[Write]:
    """Yield a function that writes rows; the file is there, whole, when the block has ended.

    Raises:
        UnreadableTableError: its name ends in neither .csv nor .parquet.
        StorageError: the disk refuses; what stood there before stays.
    """
    writers = {CSV: _create_csv, PARQUET: _create_parquet}
    kind = path.suffix.lower()
    if kind not in writers:
        raise UnreadableTableError(path, expected="CSV or Parquet", found=f"the ending {kind!r}")
    with replacing(path) as temporary, writers[kind](temporary, columns) as write:
        yield write


@contextmanager
def _create_csv(path: Path, columns: Mapping[str, pa.DataType]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)  # RFC 4180: a cell with any part of the line's end is quoted
        writer.writerow([harmless(name) for name in columns])

        def write(rows: Sequence[Row]) -> None:
            writer.writerows([harmless(row.get(name)) for name in columns] for row in rows)

        yield write


@contextmanager
def _create_parquet(path: Path, columns: Mapping[str, pa.DataType]) -> Iterator[Write]:
    schema = pa.schema(list(columns.items()))
    with pq.ParquetWriter(path, schema) as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(list(rows), schema))


def harmless(cell: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Return a cell that no spreadsheet takes for a formula: such a text gets a `'` before it."""
    is_text = isinstance(cell, str) and not _PLAIN_NUMBER.fullmatch(cell)
    return f"'{cell}" if is_text and cell.startswith(FORMULA_STARTS) else cell
