"""Errors about a source or a table that can't be used as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from features.contract.columns import ColumnKind
from features.runtime.errors import DataError
from features.runtime.text import closest_match, escape, escape_path, join_names

FORMS: Final = "{table}.parquet, {table}.csv or a folder {table}/ of such files"

KIND_NAMES: Final = {
    ColumnKind.TEXT: "text",
    ColumnKind.INTEGER: "whole numbers",
    ColumnKind.NUMBER: "numbers",
    ColumnKind.FLAG: "truth values",
    ColumnKind.TIME: "times",
}

EXAMPLES: Final = {ColumnKind.TIME: " such as 2024-03-01 12:00:00 (in Parquet: timestamps)"}


class SourceNotFoundError(DataError):
    """Refuse a source that isn't a directory."""

    def __init__(self, directory: Path) -> None:
        path = escape_path(directory)
        is_file = directory.exists()
        super().__init__(
            problem=f"The path {path} is a file, not a directory."
            if is_file
            else f"There is no directory {path}.",
            hint="Name the directory that holds products, listings and orders.",
        )


class MissingTablesError(DataError):
    """Refuse a source without all required tables."""

    def __init__(self, missing: Iterable[str], present: Iterable[str]) -> None:
        names = list(missing)
        forms = FORMS.format(table=names[0])
        super().__init__(
            problem=f"The source lacks required tables: {join_names(names)}. "
            f"It has {join_names(present)}.",
            hint=f"Add each as a file or a folder, for instance {forms}.",
        )


class AmbiguousTableError(DataError):
    """Refuse a table that occurs more than once."""

    def __init__(self, table: str, paths: Iterable[Path]) -> None:
        super().__init__(
            problem=f"The table {table} occurs more than once: "
            f"{join_names(path.name for path in paths)}.",
            hint="Keep one of them, or put all files into the folder.",
        )


class UnreadableFileError(DataError):
    """Refuse a file that isn't in the format of its name."""

    def __init__(self, file: Path, detail: str) -> None:
        super().__init__(
            problem=f"The file {escape(file.name)} can't be read: {detail}.",
            hint="Write the file again from its source; CSV is UTF-8 with commas.",
        )


class DuplicateColumnsError(DataError):
    """Refuse a file with several columns of the same name."""

    def __init__(self, file: Path, names: Iterable[str]) -> None:
        super().__init__(
            problem=f"The file {escape(file.name)} has several columns of the same name: "
            f"{join_names(names)}.",
            hint="Rename or remove the repeated columns.",
        )


class MissingColumnsError(DataError):
    """Refuse a file without all required columns, and name similar columns."""

    def __init__(self, file: Path, table: str, missing: Iterable[str], present: list[str]) -> None:
        names = list(missing)
        super().__init__(
            problem=f"The file {escape(file.name)} (table {table}) lacks columns: "
            f"{join_names(names)}. It has {join_names(present)}.",
            hint=_suggest_renaming(names, present)
            or "Add the columns; docs/contract.md lists them.",
        )


def _suggest_renaming(missing: list[str], present: list[str]) -> str:
    similar = {name: closest_match(name, present) for name in missing}
    renames = [f"{escape(other)} to {name}" for name, other in similar.items() if other]
    return f"Rename {join_names(renames)}, if the meaning is the same." if renames else ""


class WrongTypeError(DataError):
    """Refuse a column that has a wrong type or no readable value."""

    def __init__(self, table: str, column: str, kind: ColumnKind, detail: str) -> None:
        form = KIND_NAMES[kind] + EXAMPLES.get(kind, "")
        super().__init__(
            problem=f"The column {table}.{column} should hold {KIND_NAMES[kind]}, but {detail}.",
            hint=f"Write it as {form}, or give the right column the name {column}.",
        )


class EmptyTableError(DataError):
    """Refuse a table without rows."""

    def __init__(self, table: str, *, is_required: bool) -> None:
        super().__init__(
            problem=f"The table {table} has no rows.",
            hint="Export it again." if is_required else "Remove it; the table is optional.",
        )


class AllNullColumnError(DataError):
    """Refuse a column that needs values and has none."""

    def __init__(self, table: str, column: str) -> None:
        super().__init__(
            problem=f"The column {table}.{column} needs a value in every row, but has none at all.",
            hint="Check whether the export lost the column.",
        )


class NoValidRowsError(DataError):
    """Refuse a required table whose rows are all quarantined."""

    def __init__(self, table: str, rows_read: int, reasons: Iterable[str]) -> None:
        super().__init__(
            problem=f"The table {table} has {rows_read:,} rows, but none is valid. "
            f"The most frequent reasons: {join_names(reasons, limit=3)}.",
            hint="Repair the rows at their source; docs/contract.md describes each column.",
        )


class NeverVisibleError(DataError):
    """Refuse a required table whose rows never become known."""

    def __init__(self, table: str, rows_valid: int) -> None:
        super().__init__(
            problem=f"The column {table}.available_at is null in all {rows_valid:,} valid rows, "
            "so no row would ever be visible.",
            hint="If the source has only one time, write it as available_at too.",
        )
