"""Errors of broken tables, settings and disks: exit codes, and safe with any names.

tests/sentences/ has their texts.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from features.contract.errors import (
    AmbiguousTableError,
    DuplicateColumnsError,
    MissingColumnsError,
    MissingTablesError,
    SourceNotFoundError,
    UnreadableFileError,
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
    MisplacedSettingError,
    MissingSettingError,
    UnknownSettingError,
)
from features.runtime.text import closest_match, escape, join_names, quote_path
from features.runtime.toml_file import UnreadableSettingsError
from tests.sentences.features.contract import SENTENCES as CONTRACT_SENTENCES
from tests.sentences.features.runtime import SENTENCES as RUNTIME_SENTENCES

FILE = Path("orders.csv")
HOSTILE = ["\x1b[31m" + "x" * 200] * 1000

HOSTILE_ERRORS: list[XuanpinError] = [
    MissingTablesError(["orders"], HOSTILE, HOSTILE),
    MissingColumnsError(FILE, "orders", ["units"], HOSTILE),
    DuplicateColumnsError(Path(HOSTILE[0]), HOSTILE),
    AmbiguousTableError("orders", [Path(name) for name in HOSTILE]),
    UnreadableFileError(Path(HOSTILE[0]), "it isn't Parquet"),
    SourceNotFoundError(Path(HOSTILE[0])),
    ForeignDirectoryError(Path(__file__)),
    OverlapError(Path(HOSTILE[0]), Path(HOSTILE[0])),
    UnreadableSettingsError(Path(HOSTILE[0]), "there is no such file"),
    UnknownSettingError(HOSTILE[0], "x.toml", ["size"]),
    InvalidSettingError("training.size", "x.toml", "at least 1"),
    MissingSettingError("serving", "run"),
    MisplacedSettingError("port", "x.toml", "serving"),
    *(RefusedByDiskError(OSError(number, "", HOSTILE[0])) for number in REFUSALS),
]


@pytest.mark.parametrize("error", HOSTILE_ERRORS)
def test_error_message_with_hostile_names_stays_short_and_printable(error: XuanpinError) -> None:
    assert re.fullmatch(r".+\. .+[.?]", str(error))
    assert str(error).isprintable()
    assert len(str(error)) < 2_000


@pytest.mark.parametrize(
    ("base", "exit_code"), [(DataError, 3), (SettingsError, 2), (StorageError, 6)]
)
def test_error_has_the_documented_exit_code(base: type[XuanpinError], exit_code: int) -> None:
    errors = [error for error, _ in (*CONTRACT_SENTENCES, *RUNTIME_SENTENCES)]
    assert {error.exit_code for error in errors if isinstance(error, base)} == {exit_code}


def test_error_without_a_cause_in_the_disk_passes_unchanged() -> None:
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
def test_escape_makes_names_printable_and_short(name: str, expected: str) -> None:
    assert escape(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "a'b",
        'a"b',
        "-x",
        "~",
        "$HOME",
        "a;b",
        "a\nb'c",
        "\udcff.csv",
        "ä",
        "\\",
        " a ",
        "a\x1b[0m",
    ],
)
def test_quoted_path_is_one_printable_word_that_a_shell_reads_as_the_path(name: str) -> None:
    word = quote_path(name)
    shown = subprocess.run(
        ["bash", "-c", f"printf %s {word}"], capture_output=True, check=True
    ).stdout
    assert word.isprintable()
    assert os.fsdecode(shown).removeprefix("./") == name


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], "nothing"), (["a"], "a"), (["a", "b"], "a, b"), (list("abcde"), "a, b, c and 2 more")],
)
def test_join_names_lists_a_few_and_counts_the_others(names: list[str], expected: str) -> None:
    assert join_names(names, limit=3) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("Market", "market"), ("markets", "market"), ("colour", None)]
)
def test_closest_match_finds_the_most_similar_name(name: str, expected: str | None) -> None:
    assert closest_match(name, ["market", "mode"]) == expected
