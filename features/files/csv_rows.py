"""Read the rows of a CSV file as text, in batches and in order, including malformed rows."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from features.contract.errors import UnreadableFileError
from features.files.csv_dialect import BLOCK_BYTES, CsvDialect, read_dialect
from features.files.text_encoding import explain_bytes

Mask = npt.NDArray[np.bool_]
_TOO_LONG: Final = "straddling object"
"""Arrow's words for a row that is longer than a block."""


class _Rows(NamedTuple):
    """Rows with their numbers, and which of them have too few or too many cells."""

    numbers: npt.NDArray[np.int64]
    cells: pa.Table
    is_malformed: Mask


@dataclass
class _UnevenRows:
    """Rows whose cells are fewer or more than usual, collected while the parser skips them."""

    file: Path
    dialect: CsvDialect
    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __call__(self, row: pa_csv.InvalidRow) -> str:
        self.numbers.append(row.number)
        self.texts.append(row.text)
        return "skip"

    def pop_rows(self, number: int) -> _Rows:
        """Remove and return the rows up to a number, each fitted to the number of columns."""
        names = self.dialect.names
        count = sum(1 for uneven in self.numbers if uneven <= number)
        numbers, texts = self.numbers[:count], self.texts[:count]
        del self.numbers[:count], self.texts[:count]
        rows = [self._parse(text) for text in texts]
        fitted = [_fit_width(row, len(names)) for row in rows]
        columns = [pa.array(column, pa.string()) for column in zip(*fitted, strict=True)]
        return _Rows(
            np.array(numbers, dtype=np.int64),
            pa.table(columns or [pa.nulls(0, pa.string())] * len(names), _numbered(len(names))),
            np.array([_is_malformed(row, len(names)) for row in rows], dtype=np.bool_),
        )

    def _parse(self, text: str) -> list[str]:
        lines = io.StringIO(text, newline="")
        try:
            return next(csv.reader(lines, strict=True, delimiter=self.dialect.separator))
        except csv.Error as error:
            raise _open_quote_error(self.file) from error


def read_csv_rows(file: Path, block_bytes: int = BLOCK_BYTES) -> Iterator[tuple[pa.Table, Mask]]:
    """Yield batches of rows in order, as text, each with a mask of its malformed rows.

    The parser keeps about 30 blocks of `block_bytes` in memory. From a row on that is longer than
    one, the blocks are the largest ones, `BLOCK_BYTES`; no row may be longer than those.

    An empty cell is null. A blank line is no row. A malformed row with too few cells is filled up
    with nulls; in one with too many, the last cell holds the surplus. Empty cells beyond the
    header are no surplus.

    Raises:
        UnreadableFileError: it isn't UTF-8 or UTF-16, or a quote never closes.
    """
    dialect = read_dialect(file)
    if not dialect.names or dialect.start == file.stat().st_size:
        return
    rows_read = 0
    try:
        for cells, is_malformed in _read_rows(file, dialect, block_bytes):
            rows_read += cells.num_rows
            yield cells, is_malformed
    except (UnicodeDecodeError, pa.ArrowInvalid) as error:
        if _TOO_LONG not in str(error):
            raise explain_bytes(file, dialect.encoding) from error
        if block_bytes == BLOCK_BYTES:
            detail = f"a row in it is longer than {BLOCK_BYTES >> 20} MB; perhaps a quote never "
            raise UnreadableFileError(file, detail + "closes") from error
        yield from _skip(rows_read, read_csv_rows(file))


def _skip(rows: int, batches: Iterator[tuple[pa.Table, Mask]]) -> Iterator[tuple[pa.Table, Mask]]:
    """Yield the batches without their first rows."""
    for cells, is_malformed in batches:
        skipped = min(rows, cells.num_rows)
        rows -= skipped
        if skipped < cells.num_rows:
            yield cells.slice(skipped), is_malformed[skipped:]


def _read_rows(
    file: Path, dialect: CsvDialect, block_bytes: int
) -> Iterator[tuple[pa.Table, Mask]]:
    uneven = _UnevenRows(file, dialect)
    rows_before, last_cell = 0, None
    for cells in _read_even_rows(dialect, uneven, block_bytes):
        last_cell = cells.columns[-1][-1].as_py()
        numbers = _number_rows(rows_before, len(cells), uneven.numbers)
        rows_before = int(numbers[-1])
        even = _Rows(numbers, *_drop_surplus(cells, len(dialect.names)))
        yield _merge(even, uneven.pop_rows(rows_before), dialect.names)
    if uneven.numbers:
        rows = uneven.pop_rows(uneven.numbers[-1])
        yield rows.cells.rename_columns(list(dialect.names)), rows.is_malformed
    else:
        _refuse_open_quote(file, dialect, last_cell)


def _read_even_rows(
    dialect: CsvDialect, uneven: _UnevenRows, block_bytes: int
) -> Iterator[pa.Table]:
    """Yield the rows with the usual number of cells, block by block, with numbered columns."""
    names = _numbered(dialect.width)
    # The parser knows the number of an uneven row only without threads.
    read = pa_csv.ReadOptions(
        use_threads=False,
        block_size=block_bytes,
        column_names=names,
        encoding=dialect.encoding.name,
    )
    parse = pa_csv.ParseOptions(
        delimiter=dialect.separator, newlines_in_values=True, invalid_row_handler=uneven
    )
    convert = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
    )
    with pa.OSFile(os.fsencode(uneven.file)) as data:  # a name may be no UTF-8
        data.seek(dialect.start)
        with pa_csv.open_csv(data, read, parse, convert) as reader:
            for batch in reader:
                if batch.num_rows:
                    yield pa.Table.from_batches([batch])


def _numbered(width: int) -> list[str]:
    """Return names of columns that differ; those of the header may not."""
    return [str(number) for number in range(width)]


def _drop_surplus(cells: pa.Table, width: int) -> tuple[pa.Table, Mask]:
    """Return the columns of the header; rows with a value beyond them are malformed."""
    is_malformed = np.zeros(cells.num_rows, dtype=np.bool_)
    kept, surplus = cells.columns[:width], cells.columns[width:]
    for column in surplus:
        is_malformed |= pc.is_valid(column).to_numpy()
    if is_malformed.any():
        joined = pc.binary_join_element_wise(
            kept[-1], *surplus, ",", null_handling="replace", null_replacement=""
        )
        kept[-1] = pc.if_else(pa.chunked_array([is_malformed]), joined, kept[-1])
    return pa.table(kept, _numbered(width)), is_malformed


def _number_rows(rows_before: int, rows: int, uneven: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return the row numbers of even rows: the numbers of uneven rows are skipped."""
    last = rows_before + rows + len(uneven)
    numbers = np.arange(rows_before + 1, last + 1, dtype=np.int64)
    return numbers[~np.isin(numbers, uneven)][:rows]


def _merge(even: _Rows, uneven: _Rows, names: Sequence[str]) -> tuple[pa.Table, Mask]:
    """Return even and uneven rows together in order, with the mask of malformed rows."""
    cells, is_malformed = even.cells, even.is_malformed
    if len(uneven.numbers):
        order = np.argsort(np.concatenate([even.numbers, uneven.numbers]))
        cells = pa.concat_tables([cells, uneven.cells]).take(pa.array(order))
        is_malformed = np.concatenate([is_malformed, uneven.is_malformed])[order]
    return cells.rename_columns(list(names)), is_malformed


def _is_malformed(row: list[str], width: int) -> bool:
    return len(row) < width or any(row[width:])


def _fit_width(row: list[str], width: int) -> list[str | None]:
    """Return the cells of a row as exactly `width` cells: the last one holds the surplus."""
    surplus = row[width:] if any(row[width:]) else []
    padded = row[:width] + [""] * (width - len(row))
    return [cell or None for cell in (*padded[:-1], ",".join([padded[-1], *surplus]))]


def _refuse_open_quote(file: Path, dialect: CsvDialect, last_cell: str | None) -> None:
    """Refuse a file whose last cell contains all text after a quote that never closes."""
    if last_cell and "\n" in last_cell and not _read_tail(file, dialect).endswith('"'):
        raise _open_quote_error(file)


def _open_quote_error(file: Path) -> UnreadableFileError:
    return UnreadableFileError(file, "a quote in it never closes")


def _read_tail(file: Path, dialect: CsvDialect) -> str:
    with file.open("rb") as data:
        data.seek(-min(file.stat().st_size - dialect.encoding.mark_bytes, 64), 2)
        tail = data.read().decode(dialect.encoding.name, errors="ignore")
    return tail.rstrip(f"\r\n{dialect.separator if dialect.width > len(dialect.names) else ''}")
