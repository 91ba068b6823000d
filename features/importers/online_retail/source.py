"""Read the source: a Parquet, CSV or Excel file with the eight columns of Online Retail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.types as pa_types

from features.contract.errors import UnreadableFileError
from features.files.table_files import RawBatch, read_batches, read_column_types
from features.runtime.errors import DataError
from features.runtime.text import escape, escape_path, join_names

CUSTOMER: Final = "CustomerID"
_MAX_DETAIL_LENGTH: Final = 160


def _is_text(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa_types.is_string, pa_types.is_large_string))


def _is_number(kind: pa.DataType) -> bool:
    tests = (pa_types.is_integer, pa_types.is_floating, pa_types.is_decimal)
    return any(test(kind) for test in tests)


def _is_local_time(kind: pa.DataType) -> bool:
    return bool(pa_types.is_timestamp(kind)) and kind.tz is None


@dataclass(frozen=True)
class SourceColumn:
    """A column that the source must have, with its content and the types that may hold it.

    Text is accepted in every column, because CSV has nothing else. A cell that can't be parsed
    quarantines its line and doesn't stop the import.
    """

    name: str
    content: str
    is_type: Callable[[pa.DataType], bool]

    def accepts(self, kind: pa.DataType) -> bool:
        """Return True for a column type that can be read; a column of nulls always can."""
        return _is_text(kind) or pa_types.is_null(kind) or self.is_type(kind)


SOURCE_COLUMNS: Final = (
    SourceColumn("InvoiceNo", "text", _is_number),
    SourceColumn("StockCode", "text", _is_number),
    SourceColumn("Description", "text", _is_text),
    SourceColumn("Quantity", "numbers", _is_number),
    SourceColumn("InvoiceDate", "UK local times without a time zone", _is_local_time),
    SourceColumn("UnitPrice", "numbers", _is_number),
    SourceColumn(CUSTOMER, "numbers or text", _is_number),
    SourceColumn("Country", "text", _is_text),
)
SOURCE_NAMES: Final = tuple(column.name for column in SOURCE_COLUMNS)


class UnreadableSourceError(DataError):
    """Refuse a path that the system can't read."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(
            problem=f"The file {escape_path(path)} can't be read: {detail}.",
            hint="Check the path and its permissions.",
        )


class SourceColumnsError(DataError):
    """Refuse a file in which one of the eight columns is missing or occurs twice."""

    def __init__(self, names: list[str]) -> None:
        """Name the missing and the repeated columns, and the columns of the file."""
        missing = [name for name in SOURCE_NAMES if name not in names]
        repeated = [name for name in SOURCE_NAMES if names.count(name) > 1]
        faults = [f"lacks {join_names(missing)}"] if missing else []
        faults += [f"has {join_names(repeated)} more than once"] if repeated else []
        super().__init__(
            problem=f"The source {' and '.join(faults)}. Its columns are {join_names(names)}.",
            hint=f"Rename the columns; Online Retail has {', '.join(SOURCE_NAMES)}. More columns "
            "and any order are fine.",
        )


class SourceTypeError(DataError):
    """Refuse a column whose type can't hold its content."""

    def __init__(self, column: SourceColumn, kind: pa.DataType) -> None:
        """Name the column, its type and the content it should hold."""
        super().__init__(
            problem=f"The column {column.name} has the type "
            f"{escape(str(kind), _MAX_DETAIL_LENGTH)}, but should hold {column.content}.",
            hint=f"Write it as text or as {column.content}, then import again.",
        )


class EmptySourceError(DataError):
    """Refuse a source without a single order line."""

    def __init__(self, lines_read: int) -> None:
        """Show how many lines were read."""
        super().__init__(
            problem=f"None of the {lines_read:,} lines of the source is a sale of a product."
            if lines_read
            else "The source has a header, but no lines.",
            hint="Check that InvoiceDate, Quantity and UnitPrice hold times and numbers, and that "
            "the columns mean what they mean in Online Retail."
            if lines_read
            else "Export it again.",
        )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_source(path: Path) -> pa.Table:
    """Read the eight columns with the types of the file, in the order of `SOURCE_NAMES`.

    The file is CSV, Parquet or an Excel workbook, whatever its name; all cells of CSV and Excel are
    text. No message shows the content of a row.

    Raises:
        UnreadableSourceError: the file is missing, or the disk refuses it.
        UnreadableFileError: it is in no format that is read, or a row of it is malformed.
        SourceColumnsError: a column is missing or occurs twice.
        SourceTypeError: a column has a type that can't hold its content.
    """
    try:
        _check_columns(read_column_types(path))
        batches = [_select_columns(path, batch) for batch in read_batches(path, 0)]
    except OSError as error:
        raise UnreadableSourceError(path, error.strerror or str(error)) from error
    if not batches:
        raise EmptySourceError(0)
    return pa.concat_tables(batches)


def _check_columns(columns: list[tuple[str, pa.DataType]]) -> None:
    names = [name for name, _ in columns]
    if any(names.count(name) != 1 for name in SOURCE_NAMES):
        raise SourceColumnsError(names)
    kinds = dict(columns)
    for column in SOURCE_COLUMNS:
        if not column.accepts(kinds[column.name]):
            raise SourceTypeError(column, kinds[column.name])


def _select_columns(path: Path, batch: RawBatch) -> pa.Table:
    if batch.is_malformed.any():
        row = int(batch.row_numbers[batch.is_malformed][0])
        raise UnreadableFileError(path, f"row {row:,} has too few or too many cells")
    return batch.cells.select(list(SOURCE_NAMES))
