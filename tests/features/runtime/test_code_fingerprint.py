"""What a fingerprint of code follows, and what it doesn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.runtime.code_fingerprint import code_fingerprint

CODE = '''"""A module."""

RATE = 2
"""Units a day."""


def double(units: int) -> int:
    """Return twice the units."""
    return units * RATE  # a constant, so that it has a name


class Empty:
    """Nothing more."""
'''


def fingerprint_of(directory: Path, code: str, name: str = "code.py") -> str:
    path = directory / name
    path.write_text(code, encoding="utf-8")
    return code_fingerprint(directory, [path])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a constant, so that it has a name", "# another comment"),
        ("  # a constant, so that it has a name", ""),
        ('"""A module."""', '"""Another docstring."""'),
        ('"""A module."""\n', ""),
        ('"""Units a day."""', '"""Units a week."""'),
        ('"""Return twice the units."""', '"""Double.\n\n    At length."""'),
        ('"""Nothing more."""', '"""Still nothing."""'),
        ("units * RATE", "(units  *  RATE)"),
    ],
)
def test_fingerprint_stays_with_other_prose_or_layout(tmp_path: Path, old: str, new: str) -> None:
    assert old in CODE
    changed = CODE.replace(old, new)
    assert fingerprint_of(tmp_path, changed) == fingerprint_of(tmp_path, CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("units * RATE", "units + RATE"),
        ("RATE = 2", "RATE = 3"),
        ("RATE = 2", 'RATE = "2"'),
        ("return units", "units"),
        ("def double", "def twice"),
    ],
)
def test_fingerprint_changes_with_the_code(tmp_path: Path, old: str, new: str) -> None:
    assert old in CODE
    changed = CODE.replace(old, new)
    assert fingerprint_of(tmp_path, changed) != fingerprint_of(tmp_path, CODE)


def test_fingerprint_changes_with_the_name_of_a_file(tmp_path: Path) -> None:
    assert fingerprint_of(tmp_path, CODE, "a.py") != fingerprint_of(tmp_path, CODE, "b.py")


def test_fingerprint_changes_with_the_version_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fingerprint_of(tmp_path, CODE)
    monkeypatch.setattr("sys.version_info", type("V", (), {"major": 3, "minor": 99}))
    assert fingerprint_of(tmp_path, CODE) != before
