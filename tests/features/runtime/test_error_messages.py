"""Errors as prose: every error says what was expected, what was found and the way out."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from features.contract import errors as broken_tables
from features.contract.columns import ColumnKind
from features.contract.errors import (
    FORMS,
    AllNullColumnError,
    AmbiguousTableError,
    DuplicateColumnsError,
    EmptyTableError,
    MissingColumnsError,
    MissingTablesError,
    NeverVisibleError,
    NoValidRowsError,
    SourceNotFoundError,
    UnreadableFileError,
    WrongTypeError,
)
from features.runtime.atomic import ForeignDirectoryError, OverlapError
from features.runtime.errors import DataError, SettingsError, StorageError, XuanpinError
from features.runtime.refusals import (
    REFUSALS,
    RefusedByDiskError,
    as_storage_error,
    raise_storage_errors,
)
from features.runtime.settings import (
    InvalidSettingError,
    MissingSettingError,
    UnknownSettingError,
    UnreadableSettingsError,
)
from features.runtime.text import closest_match, escape, join_names

FILE = Path("orders.csv")
HOSTILE = ["\x1b[31m" + "x" * 200] * 1000

ERRORS: list[tuple[XuanpinError, str, str, str]] = [
    (
        SourceNotFoundError(Path("nope")),
        "a directory with one file or folder per table",
        "nothing at nope",
        "Name the directory that holds products, listings and orders.",
    ),
    (
        MissingTablesError(["orders"], ["products"]),
        "the required tables orders too",
        "products",
        f"Add each as a file or a folder, for instance {FORMS.format(table='orders')}.",
    ),
    (
        AmbiguousTableError("orders", [FILE, Path("orders")]),
        "one file or folder for the table orders",
        "orders.csv, orders",
        "Keep one of them, or put all files into the folder.",
    ),
    (
        UnreadableFileError(FILE, "Parquet", "other bytes"),
        "Parquet in orders.csv",
        "other bytes",
        "Write the file again from its source; CSV is UTF-8 with commas.",
    ),
    (
        DuplicateColumnsError(FILE, ["units"]),
        "columns with different names in orders.csv",
        "units more than once",
        "Rename or remove the surplus columns.",
    ),
    (
        MissingColumnsError(FILE, "orders", ["units"], ["unit", "a"]),
        "the columns units in orders.csv (table orders)",
        "only unit, a",
        "Rename unit to units?",
    ),
    (
        MissingColumnsError(FILE, "orders", ["units"], ["a"]),
        "the columns units in orders.csv (table orders)",
        "only a",
        "Add the columns; docs/contract.md lists them.",
    ),
    (
        WrongTypeError("orders", "units", ColumnKind.INTEGER, "text"),
        "whole numbers in orders.units",
        "text",
        "Write the column as whole numbers, or name the right column units.",
    ),
    (
        EmptyTableError("stock", is_required=False),
        "at least one row in the table stock",
        "none",
        "Remove it: the table is optional.",
    ),
    (
        AllNullColumnError("orders", "units"),
        "a value in every row of orders.units",
        "none in any row",
        "Look whether the export lost the column.",
    ),
    (
        NoValidRowsError("orders", 1234, list("abcde")),
        "at least one valid row in the table orders",
        "none in 1,234 (most often: a, b, c and 2 more)",
        "Repair the rows at their source; docs/contract.md says what a column holds.",
    ),
    (
        NeverVisibleError("orders", 1234),
        "a time in orders.available_at for at least one row",
        "null in all 1,234 valid rows",
        "If the source knows one time only, write it as available_at too.",
    ),
    (
        UnknownSettingError("siez", "x.toml", ["size", "name"]),
        "one of name, size",
        "siez in x.toml",
        "Did you mean size?",
    ),
    (
        RefusedByDiskError(OSError(errno.ENOSPC, "", "/data/out")),
        "room on the disk for /data/out",
        "it is full",
        "Free some space, or write elsewhere.",
    ),
]

HOSTILE_ERRORS: list[XuanpinError] = [
    MissingTablesError(["orders"], HOSTILE),
    MissingColumnsError(FILE, "orders", ["units"], HOSTILE),
    DuplicateColumnsError(Path(HOSTILE[0]), HOSTILE),
    AmbiguousTableError("orders", [Path(name) for name in HOSTILE]),
    UnreadableFileError(Path(HOSTILE[0]), "Parquet", "other bytes"),
    SourceNotFoundError(Path(HOSTILE[0])),
    ForeignDirectoryError(Path(__file__)),
    OverlapError(Path(HOSTILE[0]), Path(HOSTILE[0])),
    UnreadableSettingsError(Path(HOSTILE[0]), "nothing"),
    UnknownSettingError(HOSTILE[0], "x.toml", ["size"]),
    InvalidSettingError("training.size", "x.toml", "at least 1"),
    MissingSettingError("serving", "run"),
    *(RefusedByDiskError(OSError(number, "", HOSTILE[0])) for number in REFUSALS),
]


@pytest.mark.parametrize(("error", "expected", "found", "way_out"), ERRORS)
def test_error_message_reads_as_a_sentence_and_a_way_out(
    error: XuanpinError, expected: str, found: str, way_out: str
) -> None:
    assert str(error) == f"Expected {expected}; found {found}. {way_out}"


@pytest.mark.parametrize("error", HOSTILE_ERRORS)
def test_error_message_of_any_names_stays_short_and_harmless(error: XuanpinError) -> None:
    assert re.fullmatch(r"Expected .+; found .+\. .+[.?]", str(error))
    assert str(error).isprintable()
    assert len(str(error)) < 2_000


@pytest.mark.parametrize(
    ("base", "exit_code"), [(DataError, 3), (SettingsError, 2), (StorageError, 6)]
)
def test_error_message_goes_with_the_documented_exit_code(
    base: type[XuanpinError], exit_code: int
) -> None:
    errors = [error for error, *_ in ERRORS] + HOSTILE_ERRORS
    assert {error.exit_code for error in errors if isinstance(error, base)} == {exit_code}


def test_error_messages_of_broken_tables_are_all_in_the_list() -> None:
    declared = {name for name in vars(broken_tables) if name.endswith("Error")} - {"DataError"}
    assert declared <= {type(error).__name__ for error, *_ in ERRORS}


def test_error_that_is_not_the_disks_passes_unchanged() -> None:
    assert as_storage_error(OSError("damaged")) is None
    with pytest.raises(OSError, match="damaged") as caught, raise_storage_errors():
        raise OSError("damaged")
    assert not isinstance(caught.value, StorageError)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orders", "orders"),
        ("手机壳", "手机壳"),
        ("a\x1b[2Jb\n", "a\\x1b[2Jb\\n"),
        ("\u202eabc", "\\u202eabc"),
        ("x" * 61, "x" * 59 + "…"),
    ],
)
def test_wording_shows_names_harmlessly(name: str, expected: str) -> None:
    assert escape(name) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], "nothing"), (["a"], "a"), (["a", "b"], "a, b"), (list("abcde"), "a, b, c and 2 more")],
)
def test_wording_lists_a_few_and_counts_the_others(names: list[str], expected: str) -> None:
    assert join_names(names, limit=3) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("Market", "market"), ("markets", "market"), ("colour", None)]
)
def test_wording_finds_the_nearest_name(name: str, expected: str | None) -> None:
    assert closest_match(name, ["market", "mode"]) == expected
