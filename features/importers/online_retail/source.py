"""Read the source: a Parquet or CSV file with the eight columns of Online Retail."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pyarrow.types as pa_types

from features.runtime.errors import DataError
from features.runtime.text import escape, escape_path, join_names

CUSTOMER: Final = "CustomerID"
_PARQUET_MAGIC: Final = b"PAR1"
_ZIP_MAGIC: Final = b"PK\x03\x04"
_MAX_DETAIL_LENGTH: Final = 160
_ROW_IN_DETAIL: Final = re.compile(r"(?<=, got )(\d+): .*")
"""The part of Arrow's message that shows the row itself, which may hold personal data."""


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
    """Refuse a file that is neither Parquet nor CSV, or can't be read at all."""

    def __init__(self, path: Path, detail: str, hint: str) -> None:
        """Show the part of the detail that fits on a screen and isn't data."""
        reason = escape(_ROW_IN_DETAIL.sub(r"\1", detail), _MAX_DETAIL_LENGTH).rstrip(".")
        super().__init__(
            problem=f"The file {escape_path(path)} can't be read as Parquet or CSV: {reason}.",
            hint=hint,
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
            problem=f"The source has {lines_read:,} lines, but none is a sale of a product.",
            hint="Check that the file is Online Retail or has the same columns and meaning.",
        )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_source(path: Path) -> pa.Table:
    """Read the eight columns with the types of the file, in the order of `SOURCE_NAMES`.

    The first bytes identify Parquet; any other file is read as UTF-8 CSV with a header.

    Raises:
        UnreadableSourceError: the file is missing or has neither format.
        SourceColumnsError: a column is missing or occurs twice.
        SourceTypeError: a column has a type that can't hold its content.
    """
    table = _read_table(path)
    for column in SOURCE_COLUMNS:
        kind = table.schema.field(column.name).type
        if not column.accepts(kind):
            raise SourceTypeError(column, kind)
    return table.select(list(SOURCE_NAMES))


def _read_table(path: Path) -> pa.Table:
    try:
        with path.open("rb") as file:
            head = file.read(len(_PARQUET_MAGIC))
        if head == _ZIP_MAGIC:
            raise UnreadableSourceError(
                path,
                "it is a ZIP archive or a spreadsheet",
                "Unpack it, or save the sheet as a CSV file in UTF-8.",
            )
        return _read_parquet(path) if head == _PARQUET_MAGIC else _read_csv(path)
    except OSError as error:
        detail = error.strerror or str(error)
        raise UnreadableSourceError(path, detail, "Check the path and its permissions.") from error
    except pa.ArrowInvalid as error:
        detail = str(error).splitlines()[0]
        raise UnreadableSourceError(
            path,
            detail,
            "Download or repair the file; convert CSV in Latin-1 with: iconv -f latin1 -t utf-8.",
        ) from error


def _read_parquet(path: Path) -> pa.Table:
    file = pa_parquet.ParquetFile(path)
    _check_names(file.schema_arrow.names)
    return file.read(columns=list(SOURCE_NAMES))


def _read_csv(path: Path) -> pa.Table:
    # Arrow names the row of an error only if it reads in one thread.
    one_thread = pa_csv.ReadOptions(use_threads=False)
    with pa_csv.open_csv(path, read_options=one_thread) as reader:
        _check_names(reader.schema.names)
    convert = pa_csv.ConvertOptions(
        include_columns=list(SOURCE_NAMES),
        column_types=dict.fromkeys(SOURCE_NAMES, pa.string()),
        strings_can_be_null=True,
        null_values=[""],
    )
    parse = pa_csv.ParseOptions(newlines_in_values=True)
    return pa_csv.read_csv(
        path, read_options=one_thread, convert_options=convert, parse_options=parse
    )


def _check_names(names: list[str]) -> None:
    if any(names.count(name) != 1 for name in SOURCE_NAMES):
        raise SourceColumnsError(names)
