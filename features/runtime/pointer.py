"""Name the artefact in use: a file CURRENT beside the artefacts holds its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from features.runtime.atomic import replace_file
from features.runtime.errors import ArtefactError
from features.runtime.plain_file import RefusedReadError, read_plain
from features.runtime.text import escape, escape_path

CURRENT: Final = "CURRENT"
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_MAX_BYTES: Final = 256


class PointerError(ArtefactError):
    """Refuse a pointer that is missing or names no usable directory."""

    def __init__(self, root: Path, detail: str) -> None:
        super().__init__(
            problem=f"Nothing is in use in {escape_path(root)}: {detail}.",
            hint="Check the path, or publish with `xuanpin run`, or a snapshot with "
            "`xuanpin features materialise`.",
        )


def publish(root: Path, name: str) -> None:
    """Make `root/name` the artefact in use; readers see the old name or the new one.

    Raises:
        PointerError: the name has separators, or there is no such directory.
        StorageError: the pointer can't be written.
    """
    _resolve_directory(root, name)
    replace_file(root / CURRENT, f"{name}\n".encode())


def resolve(root: Path) -> Path:
    """Return the directory of the artefact in use.

    Raises:
        PointerError: nothing is published, or the pointer names no usable directory.
    """
    path = root / CURRENT
    if not path.exists() and not path.is_symlink():
        raise PointerError(root, f"it has no file {CURRENT}")
    try:
        content = read_plain(path, _MAX_BYTES)
    except RefusedReadError as error:
        raise PointerError(root, f"{CURRENT} can't be read, because {error.reason}") from error
    return _resolve_directory(root, content.decode(errors="replace").removesuffix("\n"))


def _resolve_directory(root: Path, name: str) -> Path:
    if not _PLAIN_NAME.fullmatch(name):
        raise PointerError(root, f"{CURRENT} names {escape(repr(name))}, which isn't a plain name")
    directory = root / name
    if directory.is_symlink() or not directory.is_dir():
        raise PointerError(root, f"{CURRENT} names {escape(name)}, and there is no such directory")
    return directory
