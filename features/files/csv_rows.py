"""Read the rows of a CSV file as text, in batches and in order, including malformed rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from features.contract.errors import UnreadableFileError

BLOCK_BYTES: Final = 1 << 24
"""Size of the text parsed at once; a single row may not be longer."""


@dataclass
class _MalformedRows:
    """Rows with too few or too many cells, collected while the parser skips them."""

    file: Path
    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __call__(self, row: pa_csv.InvalidRow) -> str:
        self.numbers.append(row.number - 1)  # the parser counts the header
        self.texts.append(row.text)
        return "skip"

    def pop_rows(self, number: int, names: Sequence[str]) -> tuple[list[int], pa.Table]:
        """Remove and return the rows up to a number, each fitted to the number of columns."""
        count = sum(1 for malformed in self.numbers if malformed <= number)
        numbers, texts = self.numbers[:count], self.texts[:count]
        del self.numbers[:count], self.texts[:count]
        rows = [_fit_width(text, len(names), self.file) for text in texts]
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        return numbers, pa.table(columns or [pa.nulls(0, pa.string())] * len(names), list(names))


def read_header(file: Path) -> tuple[list[str], bool]:
    """Return the names in the first line that isn't blank, and whether a row follows."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        lines = filter(None, csv.reader(text))
        return next(lines, []), next(lines, None) is not None


def read_csv_rows(file: Path) -> Iterator[tuple[pa.Table, npt.NDArray[np.bool_]]]:
    """Yield batches of rows in order, as text, each with a mask of its malformed rows.

    An empty cell is null. A blank line is no row. A malformed row with too few cells is filled up
    with nulls; in one with too many, the last cell holds the surplus.

    Raises:
        UnreadableFileError: a quote never closes, so that rows can't be separated.
    """
    names, has_rows = read_header(file)
    if not has_rows:
        return
    malformed = _MalformedRows(file)
    rows_before, last_cell = 0, None
    for cells in _read_valid_rows(file, names, malformed):
        last_cell = cells.columns[-1][-1].as_py()
        numbers = _number_rows(rows_before, len(cells), malformed.numbers)
        rows_before = int(numbers[-1])
        yield _merge((numbers, cells), malformed.pop_rows(rows_before, names))
    if malformed.numbers:
        numbers = np.empty(0, dtype=np.int64)
        no_cells = pa.table([pa.nulls(0, pa.string())] * len(names), names)
        yield _merge((numbers, no_cells), malformed.pop_rows(malformed.numbers[-1], names))
    else:
        _refuse_open_quote(file, last_cell)


def _read_valid_rows(
    file: Path, names: Sequence[str], malformed: _MalformedRows
) -> Iterator[pa.Table]:
    """Yield the rows with the right number of cells, block by block."""
    # The parser knows the number of a malformed row only without threads.
    with pa_csv.open_csv(
        file,
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=malformed),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    ) as reader:
        for batch in reader:
            if batch.num_rows:
                yield pa.Table.from_batches([batch])


def _number_rows(rows_before: int, rows: int, malformed: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return the row numbers of well-formed rows: the numbers of malformed rows are skipped."""
    last = rows_before + rows + len(malformed)
    numbers = np.arange(rows_before + 1, last + 1, dtype=np.int64)
    return numbers[~np.isin(numbers, malformed)][:rows]


def _merge(
    well_formed: tuple[npt.NDArray[np.int64], pa.Table], malformed: tuple[list[int], pa.Table]
) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
    """Return well-formed and malformed rows together in order, with the mask of malformed rows."""
    if not malformed[0]:
        return well_formed[1], np.zeros(len(well_formed[0]), dtype=np.bool_)
    order = np.argsort(np.concatenate([well_formed[0], malformed[0]]))
    cells = pa.concat_tables([well_formed[1], malformed[1]]).take(pa.array(order))
    return cells, order >= len(well_formed[0])


def _fit_width(text: str, width: int, file: Path) -> list[str | None]:
    """Return the cells of a malformed row as exactly `width` cells for the quarantine."""
    try:
        row = next(csv.reader(text.splitlines(keepends=True), strict=True))
    except csv.Error as error:
        raise _open_quote_error(file) from error
    padded = row + [""] * (width - len(row))
    return [cell or None for cell in (*padded[: width - 1], ",".join(padded[width - 1 :]))]


def _refuse_open_quote(file: Path, last_cell: str | None) -> None:
    """Refuse a file whose last cell contains all text after a quote that never closes."""
    if last_cell and "\n" in last_cell and not _read_tail(file).rstrip(b"\r\n").endswith(b'"'):
        raise _open_quote_error(file)


def _open_quote_error(file: Path) -> UnreadableFileError:
    return UnreadableFileError(file, "a quote in it never closes")


def _read_tail(file: Path) -> bytes:
    with file.open("rb") as data:
        data.seek(-min(file.stat().st_size, 64), 2)
        return data.read()
