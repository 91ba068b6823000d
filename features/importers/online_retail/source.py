"""Reading the source: a Parquet or CSV file with the eight columns of Online Retail."""

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

_PARQUET_MAGIC: Final = b"PAR1"
_ZIP_MAGIC: Final = b"PK\x03\x04"
_MAX_NAMES: Final = 12
_MAX_NAME_LENGTH: Final = 40
_MAX_DETAIL_LENGTH: Final = 160
_ROW_IN_DETAIL: Final = re.compile(r"(?<=, got )(\d+): .*")
"""Where Arrow's message goes on with the row itself, which is nobody's business."""


def _escape(text: str, limit: int) -> str:
    harmless = text if text.isprintable() else ascii(text)[1:-1]
    return harmless if len(harmless) <= limit else harmless[: limit - 1] + "…"


def _is_text(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa_types.is_string, pa_types.is_large_string))


def _is_number(kind: pa.DataType) -> bool:
    tests = (pa_types.is_integer, pa_types.is_floating, pa_types.is_decimal)
    return any(test(kind) for test in tests)


def _is_local_time(kind: pa.DataType) -> bool:
    return bool(pa_types.is_timestamp(kind)) and kind.tz is None


@dataclass(frozen=True)
class SourceColumn:
    """A column the source must have: what it holds and which types count as that.

    Text counts everywhere, since a CSV file has nothing else: a cell that turns out to be no
    number or no time puts its line into quarantine, and does not stop the import.
    """

    name: str
    holds: str
    is_held_by: Callable[[pa.DataType], bool]

    def accepts(self, kind: pa.DataType) -> bool:
        """Tell whether a column of this type can be read; a column of nulls always can."""
        return _is_text(kind) or pa_types.is_null(kind) or self.is_held_by(kind)


SOURCE_COLUMNS: Final = (
    SourceColumn("InvoiceNo", "text", pa_types.is_integer),
    SourceColumn("StockCode", "text", pa_types.is_integer),
    SourceColumn("Description", "text", _is_text),
    SourceColumn("Quantity", "numbers", _is_number),
    SourceColumn("InvoiceDate", "UK local times without a time zone", _is_local_time),
    SourceColumn("UnitPrice", "numbers", _is_number),
    SourceColumn("CustomerID", "numbers or text", _is_number),
    SourceColumn("Country", "text", _is_text),
)
SOURCE_NAMES: Final = tuple(column.name for column in SOURCE_COLUMNS)


class UnreadableSourceError(DataError):
    """Refuse a file that is neither Parquet nor CSV, or can't be read at all."""

    def __init__(self, path: Path, detail: str, way_out: str) -> None:
        """Keep of the detail what fits on a screen and isn't data."""
        super().__init__(
            expected=f"a Parquet or CSV file at {path}",
            found=_escape(_ROW_IN_DETAIL.sub(r"\1", detail), _MAX_DETAIL_LENGTH),
            way_out=way_out,
        )


class SourceColumnsError(DataError):
    """Refuse a file in which one of the eight columns is missing or named twice."""

    def __init__(self, found: list[str]) -> None:
        """Name what is missing or twice, and the columns there are."""
        missing = [name for name in SOURCE_NAMES if name not in found]
        twice = [name for name in SOURCE_NAMES if found.count(name) > 1]
        faults = [f"{', '.join(missing)} missing"] if missing else []
        faults += [f"{', '.join(twice)} named twice"] if twice else []
        shown = ", ".join(_escape(name, _MAX_NAME_LENGTH) for name in found[:_MAX_NAMES])
        more = ", …" if len(found) > _MAX_NAMES else ""
        super().__init__(
            expected=f"the columns {', '.join(SOURCE_NAMES)}",
            found=f"{' and '.join(faults)} among {shown}{more}",
            way_out="Rename the columns; others may stand beside them, in any order.",
        )


class SourceTypeError(DataError):
    """Refuse a column whose type can't hold what it should."""

    def __init__(self, column: SourceColumn, found: pa.DataType) -> None:
        """Name the column, what it should hold and its type."""
        super().__init__(
            expected=f"{column.holds} in {column.name}",
            found=_escape(str(found), _MAX_DETAIL_LENGTH),
            way_out="Write the column as text or as that type, then import again.",
        )


class EmptySourceError(DataError):
    """Refuse a source out of which no order line comes."""

    def __init__(self, lines_read: int) -> None:
        """Tell how many lines were read, all of them in vain."""
        super().__init__(
            expected="at least one sale of a product",
            found=f"none in {lines_read:,} lines",
            way_out="Check that the file is Online Retail or has its columns and meaning.",
        )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_source(path: Path) -> pa.Table:
    """Read the eight columns, as typed as the file has them, in the order of `SOURCE_NAMES`.

    Parquet is known by its first bytes; everything else is read as CSV with a header, in UTF-8.

    Raises:
        DataError: no such file, neither of the two formats, a column missing or of another type.
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
                "a ZIP archive or a spreadsheet",
                "Unpack it, or save the sheet as a CSV file in UTF-8.",
            )
        return _read_parquet(path) if head == _PARQUET_MAGIC else _read_csv(path)
    except OSError as error:
        detail = error.strerror or str(error)
        raise UnreadableSourceError(path, detail, "Check the path and who may read it.") from error
    except pa.ArrowInvalid as error:
        detail = str(error).splitlines()[0]
        raise UnreadableSourceError(
            path,
            detail,
            "Fetch or mend the file; convert CSV in Latin-1 with iconv -f latin1 -t utf-8.",
        ) from error


def _read_parquet(path: Path) -> pa.Table:
    file = pa_parquet.ParquetFile(path)
    _check_names(file.schema_arrow.names)
    return file.read(columns=list(SOURCE_NAMES))


def _read_csv(path: Path) -> pa.Table:
    # Read in one thread: only then does a complaint say in which row.
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


def _check_names(found: list[str]) -> None:
    if any(found.count(name) != 1 for name in SOURCE_NAMES):
        raise SourceColumnsError(found)
