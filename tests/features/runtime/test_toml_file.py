"""A settings file that isn't TOML in UTF-8 is refused with the cause that its bytes show."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from features.runtime.errors import SettingsError
from features.runtime.toml_file import MAX_BYTES, read_toml

TEXT = '[training]\nexperiment = "Prüfung"\n'
CONTENT = {"training": {"experiment": "Prüfung"}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_settings_file_in_utf_8_is_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.toml"
    file.write_text(TEXT, encoding=encoding)
    assert read_toml(file) == CONTENT


def write(content: bytes) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "there is no such file. Write a TOML file with sections such as"),
        (Path.mkdir, "it is a folder. Name a TOML file"),
        (os.mkfifo, "it is a pipe or a device. Name a TOML file; what comes through a pipe must"),
        (write(TEXT.encode("utf-16")), "it is written in UTF-16. Save it as UTF-8"),
        (write(TEXT.encode("utf-16-le")), "it is written in UTF-16. Save it as UTF-8"),
        (write(TEXT.encode("latin-1")), "line 2 has the byte 0xfc, which isn't UTF-8. Save it as"),
        (write(b"[training"), "it isn't TOML (Expected ']' at the end of a table declaration"),
        (write(b"a = " + b"[" * 100_000), "it isn't TOML ("),
        (write(b"#" * (MAX_BYTES + 1)), "it has 1,048,577 bytes, and at most 1,048,576 are read."),
    ],
)
def test_settings_file_that_is_something_else_is_refused_with_the_cause(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    file = tmp_path / "a.toml"
    make(file)
    with pytest.raises(SettingsError) as caught:
        read_toml(file)
    assert f"The settings file {file} can't be read: {message}" in str(caught.value)
    assert caught.value.exit_code == 2


def test_settings_from_standard_input_are_refused_with_the_way_out() -> None:
    with pytest.raises(SettingsError, match=r"no such file\. Name a TOML file; what comes"):
        read_toml(Path("-"))


def test_command_for_settings_in_utf_16_keeps_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(TEXT, encoding="utf-16")
    with pytest.raises(SettingsError) as caught:
        read_toml(file)
    assert caught.value.hint == (
        f"Save it as UTF-8 in the editor. Or: Run `iconv -f UTF-16 -t UTF-8 {file} > "
        f"{tmp_path}/settings.utf8.toml`, move the original away, and name the new file "
        "settings.toml."
    )
