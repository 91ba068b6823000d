"""What makes a table of a source unusable as a whole, and the way out of each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from features.contract.columns import ColumnKind
from features.runtime.errors import DataError
from features.runtime.text import closest_match, escape, join_names

FORMS: Final = "{table}.parquet, {table}.csv or a folder {table}/ of such files"

KIND_NAMES: Final = {
    ColumnKind.TEXT: "text",
    ColumnKind.INTEGER: "whole numbers",
    ColumnKind.NUMBER: "numbers",
    ColumnKind.FLAG: "truth values",
    ColumnKind.TIME: "times",
}


class SourceNotFoundError(DataError):
    """Refuse a source that isn't a directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            expected="a directory with one file or folder per table",
            found=f"{'a file' if directory.exists() else 'nothing'} at {escape(str(directory))}",
            way_out="Name the directory that holds products, listings and orders.",
        )


class MissingTablesError(DataError):
    """Refuse a source without the tables that everything rests on."""

    def __init__(self, missing: Iterable[str], found: Iterable[str]) -> None:
        names = list(missing)
        forms = FORMS.format(table=names[0])
        super().__init__(
            expected=f"the required tables {join_names(names)} too",
            found=join_names(found),
            way_out=f"Add each as a file or a folder, for instance {forms}.",
        )


class AmbiguousTableError(DataError):
    """Refuse a table that is there twice."""

    def __init__(self, table: str, paths: Iterable[Path]) -> None:
        super().__init__(
            expected=f"one file or folder for the table {table}",
            found=join_names(path.name for path in paths),
            way_out="Keep one of them, or put all files into the folder.",
        )


class UnreadableFileError(DataError):
    """Refuse a file that isn't in the format its name claims."""

    def __init__(self, file: Path, expected: str, found: str) -> None:
        super().__init__(
            expected=f"{expected} in {escape(file.name)}",
            found=found,
            way_out="Write the file again from its source; CSV is UTF-8 with commas.",
        )


class DuplicateColumnsError(DataError):
    """Refuse a file in which several columns share a name."""

    def __init__(self, file: Path, names: Iterable[str]) -> None:
        super().__init__(
            expected=f"columns with different names in {escape(file.name)}",
            found=f"{join_names(names)} more than once",
            way_out="Rename or remove the surplus columns.",
        )


class MissingColumnsError(DataError):
    """Refuse a file without all required columns; point at names that look alike."""

    def __init__(self, file: Path, table: str, missing: Iterable[str], found: list[str]) -> None:
        names = list(missing)
        super().__init__(
            expected=f"the columns {join_names(names)} in {escape(file.name)} (table {table})",
            found=f"only {join_names(found)}",
            way_out=_rename_hint(names, found) or "Add the columns; docs/contract.md lists them.",
        )


def _rename_hint(missing: list[str], found: list[str]) -> str:
    alike = {name: closest_match(name, found) for name in missing}
    hints = [f"{escape(other)} to {name}" for name, other in alike.items() if other]
    return f"Rename {join_names(hints)}?" if hints else ""


class WrongTypeError(DataError):
    """Refuse a column of which no value can be read as its kind."""

    def __init__(self, table: str, column: str, kind: ColumnKind, found: str) -> None:
        super().__init__(
            expected=f"{KIND_NAMES[kind]} in {table}.{column}",
            found=found,
            way_out=f"Write the column as {KIND_NAMES[kind]}, or name the right column {column}.",
        )


class EmptyTableError(DataError):
    """Refuse a table without a single row."""

    def __init__(self, table: str, *, is_required: bool) -> None:
        way_out = "Export it again" if is_required else "Remove it: the table is optional"
        super().__init__(
            expected=f"at least one row in the table {table}",
            found="none",
            way_out=f"{way_out}.",
        )


class AllNullColumnError(DataError):
    """Refuse a column that must be filled in and never is."""

    def __init__(self, table: str, column: str) -> None:
        super().__init__(
            expected=f"a value in every row of {table}.{column}",
            found="none in any row",
            way_out="Look whether the export lost the column.",
        )


class NoValidRowsError(DataError):
    """Refuse a required table of which every row went to quarantine."""

    def __init__(self, table: str, rows_read: int, reasons: Iterable[str]) -> None:
        super().__init__(
            expected=f"at least one valid row in the table {table}",
            found=f"none in {rows_read:,} (most often: {join_names(reasons, limit=3)})",
            way_out="Repair the rows at their source; docs/contract.md says what a column holds.",
        )


class NeverVisibleError(DataError):
    """Refuse a required table whose rows never become known."""

    def __init__(self, table: str, rows_valid: int) -> None:
        super().__init__(
            expected=f"a time in {table}.available_at for at least one row",
            found=f"null in all {rows_valid:,} valid rows",
            way_out="If the source knows one time only, write it as available_at too.",
        )
