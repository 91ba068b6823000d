"""Write a table as CSV or Parquet, a batch of rows at a time."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from features.cells.formatting import format_cells
from features.runtime.atomic import write_atomically
from serving.batch.answer_columns import Answer, OutputColumns
from serving.batch.errors import OutputFormatError
from serving.batch.formulas import add_guards, add_name_guards

Write = Callable[[pa.Table, Sequence[Answer]], None]
"""Write rows: the cells that the source has, and as many answers."""

_NUMBERS: Final = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
"""Types that the csv module writes as they are."""


def check_output(path: Path) -> None:
    """Check that the name of a result is that of a format which can be written.

    Raises:
        OutputFormatError: the name ends in neither .csv nor .parquet.
    """
    if path.suffix.lower() not in _WRITERS:
        raise OutputFormatError(path)


@contextmanager
def create_table(path: Path, columns: OutputColumns) -> Iterator[Write]:
    """Yield a function that writes rows; the whole file appears when the block ends.

    Parquet keeps all types. CSV is in UTF-8 with a byte order mark, without which Excel takes it
    for another encoding.

    Raises:
        OutputFormatError: the name ends in neither .csv nor .parquet.
        StorageError: the disk is full or can't be written; an earlier file stays.
    """
    check_output(path)
    create = _WRITERS[path.suffix.lower()]
    with write_atomically(path) as temporary, create(temporary, columns) as write:
        yield write


@contextmanager
def _create_csv(path: Path, columns: OutputColumns) -> Iterator[Write]:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)  # RFC 4180: a cell with any part of the line's end is quoted
        writer.writerow([*add_name_guards(columns.source.names), *columns.answer.names])

        def write(cells: pa.Table, answers: Sequence[Answer]) -> None:
            kept = zip(*(_to_cells(cells[name]) for name in columns.kept), strict=True)
            values = ([answer[name] for name in columns.answer.names] for answer in answers)
            writer.writerows([*row, *answer] for row, answer in zip(kept, values, strict=True))

        yield write


def _to_cells(column: pa.ChunkedArray) -> list[Any]:
    is_number = any(is_type(column.type) for is_type in _NUMBERS)
    return list((column if is_number else add_guards(format_cells(column))).to_pylist())


@contextmanager
def _create_parquet(path: Path, columns: OutputColumns) -> Iterator[Write]:
    schema = pa.schema([*columns.source, *columns.answer])
    with pq.ParquetWriter(path, schema) as writer:

        def write(cells: pa.Table, answers: Sequence[Answer]) -> None:
            added = pa.Table.from_pylist(list(answers), columns.answer)
            kept = cells.select(list(columns.kept)).columns
            writer.write_table(pa.table([*kept, *added.columns], schema=schema))

        yield write


_WRITERS: Final = {".csv": _create_csv, ".parquet": _create_parquet}
