"""Errors about a source or a table that can't be used as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from features.contract.columns import ColumnKind
from features.runtime.errors import DataError
from features.runtime.text import (
    PYTHON,
    closest_match,
    escape,
    escape_path,
    fold_name,
    join_names,
    suggest_rewriting,
)

MAX_REASONS: Final = 3
FORMS: Final = "{table}.parquet, {table}.csv, {table}.xlsx or a folder {table}/ of such files"
WRITE_AGAIN: Final = "Write the file again from its source; CSV is UTF-8 with commas."

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
        problem = f"There is no directory {path}."
        hint = "Name the directory that holds products, listings and orders."
        if directory.is_file():
            problem = f"The path {path} is a file, not a directory."
            hint = f"Name its directory: {escape_path(directory.resolve().parent)}."
        elif directory.exists():
            problem = f"The path {path} is a pipe, socket or device, not a directory."
        elif str(directory) == "-":
            problem = "Tables can't be read from a pipe (-)."
        super().__init__(problem=problem, hint=hint)


class UnreadPartsError(DataError):
    """Refuse the folder of a table that holds data which wouldn't be read."""

    def __init__(self, folder: Path, names: Iterable[str], way_out: str) -> None:
        super().__init__(
            problem=f"The folder {escape(folder.name)} holds files that aren't read because of "
            f"their names: {join_names(names)}.",
            hint=f"{way_out} What is no part of the table, move out of the folder.",
        )


class MisnamedTableError(DataError):
    """Refuse a file that looks like a table of the contract, but isn't read because of its name."""

    def __init__(self, name: str, table: str, way_out: str) -> None:
        super().__init__(
            problem=f"The source has no table {table}, but it has {escape(name)}, which isn't "
            "read because of its name.",
            hint=f"{way_out} If it is something else, move it out of the directory.",
        )


class TableFormatError(DataError):
    """Refuse the folder of a table whose log tells which of its rows are deleted."""

    def __init__(self, folder: Path, kind: str, command: str) -> None:
        super().__init__(
            problem=f"The folder {escape(folder.name)} is in the format of {kind}: its files "
            "hold deleted and replaced rows too.",
            hint=f"Export its current rows, and put the new file in place of the folder: "
            f"`{command}`.",
        )


class MissingTablesError(DataError):
    """Refuse a source without all required tables."""

    def __init__(
        self, missing: Iterable[str], present: Iterable[str], others: Iterable[str]
    ) -> None:
        names, unread = list(missing), list(others)
        forms = FORMS.format(table=names[0])
        super().__init__(
            problem=f"The source lacks required tables: {join_names(names)}. "
            f"It has {join_names(present)}"
            f"{f'; its other files are {join_names(unread)}' if unread else ''}.",
            hint=f"Add each as a file or a folder, for instance {forms}.",
        )


class AmbiguousTableError(DataError):
    """Refuse a table that occurs more than once."""

    def __init__(self, table: str, paths: Iterable[Path]) -> None:
        super().__init__(
            problem=f"The table {table} occurs more than once: "
            f"{join_names(path.name for path in paths)}.",
            hint="If they hold the same rows, move all but one out of the directory; if each "
            f"holds a part, put them into one folder {table}/.",
        )


class UnreadableFileError(DataError):
    """Refuse a file that can't be read; the detail names the cause, the hint the way out."""

    def __init__(self, file: Path, detail: str, hint: str = WRITE_AGAIN) -> None:
        super().__init__(
            problem=f"The file {escape(file.name)} can't be read: {detail}.", hint=hint
        )


class TooManyColumnsError(DataError):
    """Refuse a file with more columns than any table of a shop has."""

    def __init__(self, file: Path, columns: int, limit: int) -> None:
        super().__init__(
            problem=f"The file {escape(file.name)} has {columns:,} columns; at most {limit:,} are "
            "read.",
            hint="Export only the columns that the table needs; docs/contract.md lists them.",
        )


class DuplicateColumnsError(DataError):
    """Refuse a file with several columns of the same name."""

    def __init__(self, file: Path, names: Iterable[str]) -> None:
        super().__init__(
            problem=f"The file {escape(file.name)} has several columns of the same name: "
            f"{join_names(names)}.",
            hint="Rename or remove the repeated columns.",
        )


class HeaderNotFirstError(DataError):
    """Refuse a file with other text above its header."""

    def __init__(self, file: Path, line: int) -> None:
        rewriting = suggest_rewriting(f"tail -n +{line}", file, "table")
        is_csv = file.suffix.lower() == ".csv"
        super().__init__(
            problem=f"The file {escape(file.name)} has other text above its header, which is in "
            f"line {line}.",
            hint=f"{rewriting} Or delete the lines above it in an editor."
            if is_csv
            else "In Excel delete the rows above it, and save.",
        )


class QuotedLinesError(DataError):
    """Refuse a file each line of which is one cell in quotes."""

    def __init__(self, file: Path) -> None:
        program = "import csv, sys; [print(*row) for row in csv.reader(sys.stdin)]"
        command = f'{PYTHON} -c "{program}" <'
        super().__init__(
            problem=f"The file {escape(file.name)} has each line in quotes, as a single cell: it "
            "was saved as CSV twice.",
            hint=f"Export it again. Or: {suggest_rewriting(command, file, 'table')}",
        )


class NoHeaderError(DataError):
    """Refuse a file whose first line holds values instead of names."""

    def __init__(self, file: Path, table: str, required: Iterable[str]) -> None:
        super().__init__(
            problem=f"The file {escape(file.name)} (table {table}) has no header: its first line "
            "holds values, not names.",
            hint=f"Export it with a header; the table needs {join_names(required, limit=20)}.",
        )


_PAGES: Final = {"candidates": "docs/api.md"}
"""Tables that the contract's page doesn't list."""


class MissingColumnsError(DataError):
    """Refuse a file without all required columns, and name similar columns."""

    def __init__(self, file: Path, table: str, missing: Iterable[str], present: list[str]) -> None:
        names = list(missing)
        super().__init__(
            problem=f"The file {escape(file.name)} (table {table}) lacks columns: "
            f"{join_names(names)}. It has {join_names(present)}.",
            hint=_suggest_renaming(names, present)
            or f"Add the columns; {_PAGES.get(table, 'docs/contract.md')} lists them.",
        )


def _suggest_renaming(missing: list[str], present: list[str]) -> str:
    similar = {name: closest_match(name, present) for name in missing}
    renames = [(name, other) for name, other in similar.items() if other]
    if not renames:
        return ""
    listed = join_names(f"`{other}` to {name}" for name, other in renames)
    is_sure = all(fold_name(name) == fold_name(other) for name, other in renames)
    return f"Rename {listed}{'' if is_sure else ', if the meaning is the same'}."


class WrongTypeError(DataError):
    """Refuse a column that has a wrong type or no readable value."""

    def __init__(self, table: str, column: str, kind: ColumnKind, detail: str) -> None:
        form = KIND_NAMES[kind] + EXAMPLES.get(kind, "")
        super().__init__(
            problem=f"The column {table}.{column} should hold {KIND_NAMES[kind]}, but {detail}.",
            hint=f"Write it as {form}, or give the right column the name {column}.",
        )


class MajorUnitsError(DataError):
    """Refuse a column of money that seems to hold dollars instead of cents."""

    def __init__(self, table: str, column: str, fractions: int, amounts: int) -> None:
        super().__init__(
            problem=f"The column {table}.{column} should hold whole minor units (cents, pence), "
            f"but amounts with a fraction stand in {fractions:,} of its {amounts:,} cells, so the "
            "others may be in dollars or pounds too.",
            hint="Write all of them in minor units, for instance 1999 for 19.99.",
        )


class EmptyTableError(DataError):
    """Refuse a table without rows."""

    def __init__(self, table: str, *, is_required: bool) -> None:
        super().__init__(
            problem=f"The table {table} has no rows.",
            hint="Export it again." if is_required else "Remove it; the table is optional.",
        )


class UnevenRowsError(DataError):
    """Refuse a table none of whose rows has as many cells as its header."""

    def __init__(self, table: str, rows: int) -> None:
        super().__init__(
            problem=f"The table {table} has {rows:,} rows, but none has as many cells as the "
            "header has names.",
            hint="Compare the header with the first row: a name may be missing, the rows may have "
            "another separator, or a cell with a comma may lack its quotes.",
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

    def __init__(self, table: str, rows_read: int, reasons: Sequence[str]) -> None:
        shown = reasons[:MAX_REASONS]
        more = f" and {len(reasons) - len(shown)} more" if len(reasons) > len(shown) else ""
        super().__init__(
            problem=f"The table {table} has {rows_read:,} rows, but none is valid. "
            f"The most frequent reasons: {'; '.join(shown)}{more}.",
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
