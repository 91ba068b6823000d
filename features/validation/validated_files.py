"""The files of a validated directory: whether validation wrote it, and each holds its table.

Only the footers of the files are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from features.contract.columns import Table
from features.contract.errors import UnreadableFileError
from features.contract.tables import TABLES
from features.runtime.errors import DataError
from features.runtime.text import escape
from features.validation.casting import arrow_schema
from features.validation.report import REPORT_FILE, has_report
from features.validation.table_files import read_column_types

WAY_OUT: Final = "Write one with `xuanpin check DIR --out VALIDATED`."


class NotValidatedError(DataError):
    """Refuse a directory that `xuanpin check --out` didn't write."""

    def __init__(self, directory: Path, missing: str) -> None:
        super().__init__(
            expected=f"a validated data set with {missing}",
            found=f"none in {escape(directory.name)}",
            way_out=WAY_OUT,
        )


class OtherTableError(DataError):
    """Refuse a file that isn't the table it is named after, as validation writes it."""

    def __init__(self, file: Path, *, expected: str, found: str) -> None:
        super().__init__(
            expected=f"{expected} in {file.name}, as `xuanpin check --out` writes it",
            found=found,
            way_out="Write the whole directory again with `xuanpin check DIR --out VALIDATED`.",
        )


def find_validated_files(directory: Path) -> dict[str, Path]:
    """Return the file of each table that is there, in contract order.

    Raises:
        NotValidatedError: the report of a validation or a required table is missing.
        OtherTableError: a file isn't Parquet, or has other columns than its table.
    """
    if not has_report(directory):
        raise NotValidatedError(directory, REPORT_FILE)
    files = {}
    for table in TABLES:
        path = directory / f"{table.name}.parquet"
        if path.is_file():
            _refuse_other_columns(path, table)
            files[table.name] = path
        elif table.is_required:
            raise NotValidatedError(directory, path.name)
    return files


def _refuse_other_columns(file: Path, table: Table) -> None:
    schema = arrow_schema(table)
    wanted = list(zip(schema.names, schema.types, strict=True))
    try:
        columns = read_column_types(file)
    except UnreadableFileError as error:
        raise OtherTableError(file, expected="Parquet", found=error.found) from error
    for place, (name, kind) in enumerate(wanted):
        expected = f"{name} ({kind}) as column {place + 1}"
        if place >= len(columns):
            raise OtherTableError(file, expected=expected, found=f"{len(columns)} columns")
        if columns[place] != (name, kind):
            found = f"{escape(columns[place][0])} ({escape(str(columns[place][1]))})"
            raise OtherTableError(file, expected=expected, found=found)
    if len(columns) > len(wanted):
        expected, found = f"{len(wanted)} columns", f"{len(columns)}"
        raise OtherTableError(file, expected=expected, found=found)
