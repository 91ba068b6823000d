"""Find the files of a validated directory, and check that each holds its table.

Only the footers of the files are read.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from features.cells.casting import arrow_schema
from features.contract.columns import Table
from features.contract.errors import UnreadableFileError
from features.contract.tables import TABLES
from features.files.table_files import read_column_types
from features.runtime.errors import DataError
from features.runtime.text import escape, escape_path
from features.validation.report import REPORT_FILE, has_report


class NotValidatedError(DataError):
    """Refuse a directory that `xuanpin check --out` didn't write."""

    def __init__(self, directory: Path, missing: str) -> None:
        super().__init__(
            problem=f"The directory {escape_path(directory)} is no validated data set: it has no "
            f"valid {missing}.",
            hint="Write one with `xuanpin check DIR --out VALIDATED`.",
        )


class OtherTableError(DataError):
    """Refuse a file that isn't the validated table of its name."""

    def __init__(self, file: Path, difference: str) -> None:
        super().__init__(
            problem=f"The file {file.name} isn't as `xuanpin check --out` writes it: {difference}.",
            hint="Write the whole directory again with `xuanpin check DIR --out VALIDATED`.",
        )


def find_validated_files(directory: Path) -> dict[str, Path]:
    """Return the files of the tables in the directory, in contract order.

    Raises:
        NotValidatedError: the validation report or a required table is missing.
        OtherTableError: a file isn't Parquet, or its columns aren't those of its table.
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
    expected = list(zip(schema.names, schema.types, strict=True))
    try:
        actual = read_column_types(file)
    except UnreadableFileError as error:
        raise OtherTableError(file, "it can't be read as Parquet") from error
    for index, (expected_column, actual_column) in enumerate(zip(expected, actual, strict=False)):
        if expected_column != actual_column:
            difference = f"column {index + 1} is {_describe(*actual_column)}"
            raise OtherTableError(file, f"{difference}, not {_describe(*expected_column)}")
    if len(actual) != len(expected):
        raise OtherTableError(file, f"it has {len(actual)} columns, not {len(expected)}")


def _describe(name: str, kind: pa.DataType) -> str:
    return f"{escape(name)} ({escape(str(kind))})"
