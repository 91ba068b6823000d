"""Read a settings file, or say what it is instead of TOML in UTF-8."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from features.runtime.errors import SettingsError
from features.runtime.text import escape, escape_path, suggest_rewriting

MAX_BYTES: Final = 1 << 20
MAX_DETAIL: Final = 200
UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")

_WRITE_TOML: Final = (
    "Write a TOML file with sections such as [horizons] and lines such as horizon_days = 28."
)
_NAME_A_FILE: Final = "Name a TOML file; what comes through a pipe must be written to a file first."


class UnreadableSettingsError(SettingsError):
    """Refuse a settings file that doesn't exist or isn't TOML."""

    def __init__(self, file: Path, detail: str, hint: str = _WRITE_TOML) -> None:
        super().__init__(
            problem=f"The settings file {escape_path(file)} can't be read: {detail}.", hint=hint
        )


def read_toml(file: Path) -> dict[str, Any]:
    """Return the content of a TOML file in UTF-8, with or without a byte order mark.

    A command reads its file several times, so a pipe is refused: it would be empty the second time.

    Raises:
        UnreadableSettingsError: there is no such file, or it isn't TOML.
    """
    text = _decode(file, _read_bytes(file))
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        detail = f"it isn't TOML ({escape(str(error), MAX_DETAIL)})"
        raise UnreadableSettingsError(file, detail) from error


def _read_bytes(file: Path) -> bytes:
    try:
        status = file.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableSettingsError(file, "it is a folder", _NAME_A_FILE)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableSettingsError(file, "it is a pipe or a device", _NAME_A_FILE)
        if status.st_size > MAX_BYTES:
            raise UnreadableSettingsError(
                file, f"it has {status.st_size:,} bytes, and at most {MAX_BYTES:,} are read"
            )
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        hint = _NAME_A_FILE if str(file) == "-" else _WRITE_TOML
        raise UnreadableSettingsError(file, "there is no such file", hint) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableSettingsError(file, f"the system says “{reason}”") from error


def _decode(file: Path, content: bytes) -> str:
    if content.startswith(UTF_16_MARKS) or b"\x00" in content:
        rewriting = suggest_rewriting("iconv -f UTF-16 -t UTF-8", file, "utf8")
        hint = f"Save it as UTF-8 in the editor. Or: {rewriting}"
        raise UnreadableSettingsError(file, "it is written in UTF-16", hint)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        detail = f"line {line:,} has the byte 0x{content[error.start]:02x}, which isn't UTF-8"
        hint = "Save it as UTF-8 in the editor."
        raise UnreadableSettingsError(file, detail, hint) from error
