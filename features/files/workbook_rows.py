"""Read the rows of an Excel workbook (.xlsx) as the text that a CSV file would have."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import python_calamine as calamine

from features.contract.errors import UnreadableFileError
from features.files.file_format import DOWNLOAD_AGAIN, SAVE_AS_CSV
from features.files.headers import name_columns, refuse_many_columns
from features.runtime.text import join_names

MAX_UNPACKED_BYTES: Final = 1 << 29
MAX_CELLS: Final = 20_000_000
"""Cells of the rectangle around all cells of a sheet: the library holds it in memory."""

_LARGEST_EXACT: Final = 1e15
"""Excel keeps 15 digits of a number; of a longer one, such as an identifier, the end is lost."""

_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml")
_PLACE: Final = re.compile(rb' r="([A-Z]{1,3})([0-9]{1,7})"')
_CHUNK_BYTES: Final = 1 << 20
_LONGEST_PLACE: Final = 16

Cell = str | float | bool | date | time | timedelta
Mask = npt.NDArray[np.bool_]


def read_workbook_header(file: Path) -> list[str]:
    """Return the names in the first row that isn't blank."""
    with _open_rows(file) as rows:
        return _next_names(file, filter(any, rows))


def read_first_rows(file: Path, rows: int) -> list[list[str]]:
    """Return the first rows, including the blank ones, so that they count as in Excel."""
    with _open_rows(file) as all_rows:
        return list(islice(all_rows, rows))


def read_workbook_rows(file: Path, batch_rows: int) -> Iterator[tuple[pa.Table, Mask]]:
    """Yield batches of rows in order, as text, each with a mask of rows wider than the header.

    An empty cell is null. A blank row is no row.
    """
    with _open_rows(file) as all_rows:
        rows = filter(any, all_rows)
        names = _next_names(file, rows)
        while names and (batch := list(islice(rows, batch_rows))):
            columns = zip(*(_fit_width(row, len(names)) for row in batch), strict=True)
            arrays = [pa.array(column, pa.string()) for column in columns]
            is_wide = np.array([any(row[len(names) :]) for row in batch], dtype=np.bool_)
            yield pa.table(arrays, list(names)), is_wide


def _next_names(file: Path, rows: Iterator[list[str]]) -> list[str]:
    names = name_columns(next(rows, []))
    refuse_many_columns(file, len(names))
    return names


def _fit_width(row: list[str], width: int) -> list[str | None]:
    surplus = [cell for cell in row[width:] if cell]
    return [cell or None for cell in (*row[: width - 1], ",".join([row[width - 1], *surplus]))]


@contextmanager
def _open_rows(file: Path) -> Iterator[Iterator[list[str]]]:
    """Open the only sheet with cells, to iterate over its rows as text."""
    refuse_large_workbook(file)
    try:
        with file.open("rb") as data, calamine.CalamineWorkbook.from_filelike(data) as book:
            rows = _choose_sheet(file, book).iter_rows()
            yield ([format_cell(cell) for cell in row] for row in rows)
    except calamine.CalamineError as error:
        raise UnreadableFileError(file, "the workbook is damaged", DOWNLOAD_AGAIN) from error


def refuse_large_workbook(file: Path) -> None:
    """Refuse a workbook that needs too much memory.

    Raises:
        UnreadableFileError: it unpacks to too many bytes, or its cells lie too far apart.
    """
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            detail = f"the workbook unpacks to {unpacked >> 20:,} MB, more than "
            detail += f"{MAX_UNPACKED_BYTES >> 20:,} MB"
            raise UnreadableFileError(file, detail, SAVE_AS_CSV)
        for name in filter(_SHEET.fullmatch, archive.namelist()):
            columns, rows = _measure_sheet(archive, name)
            if columns * rows > MAX_CELLS:
                detail = f"a sheet of the workbook spans {columns:,} columns and {rows:,} rows"
                raise UnreadableFileError(file, detail, SAVE_AS_CSV)


def _measure_sheet(archive: zipfile.ZipFile, name: str) -> tuple[int, int]:
    """Return the last column and row with a cell; the size that a sheet states may be wrong."""
    columns: set[bytes] = set()
    last_row, rest = 0, b""
    with archive.open(name) as sheet:
        for chunk in chain(iter(lambda: sheet.read(_CHUNK_BYTES), b"")):
            places = _PLACE.findall(rest + chunk)
            columns.update(column for column, _ in places)
            last_row = max(last_row, *(int(row) for _, row in places), 0)
            rest = chunk[-_LONGEST_PLACE:]
    return max(map(_column_number, columns), default=0), last_row


def _column_number(letters: bytes) -> int:
    """Return the number of a column by its letters.

    >>> _column_number(b"A"), _column_number(b"AB")
    (1, 28)
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _choose_sheet(file: Path, book: calamine.CalamineWorkbook) -> calamine.CalamineSheet:
    """Return the only visible sheet with cells, or the first if all are empty."""
    visible = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.visible is calamine.SheetVisibleEnum.Visible
        and sheet.typ is calamine.SheetTypeEnum.WorkSheet
    ]
    sheets = [book.get_sheet_by_name(name) for name in visible]
    filled = [sheet for sheet in sheets if sheet.height]
    if len(filled) > 1:
        names = join_names(sheet.name for sheet in filled)
        raise UnreadableFileError(
            file,
            f"it has {len(filled)} sheets with cells: {names}",
            "Delete the other sheets, or save the sheet of this table as a file of its own.",
        )
    if not sheets:
        raise UnreadableFileError(file, "it has no visible sheet", "Unhide the sheet of the table.")
    return (filled or sheets)[0]


def format_cell(cell: Cell) -> str:
    """Return the text of a cell as a CSV file would have it.

    A number of more than 15 digits keeps its exponent, because its last digits are lost.

    >>> format_cell(12.0), format_cell(576461234567890123.0), format_cell(True)
    ('12', '5.76E+17', 'TRUE')
    """
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        return _format_number(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return cell if isinstance(cell, str) else str(cell)


def _format_number(number: float) -> str:
    if abs(number) >= _LARGEST_EXACT:
        return f"{number:.2E}"
    return str(int(number)) if number == int(number) else f"{number:.15g}"
