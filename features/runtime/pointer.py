"""The pointer: a file CURRENT that names which of the artefacts beside it is in use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from features.runtime.atomic import replace_file
from features.runtime.errors import ArtefactError

CURRENT: Final = "CURRENT"
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_MAX_BYTES: Final = 256


class PointerError(ArtefactError):
    """Refuse a pointer that is missing or names nothing that could be used."""

    def __init__(self, root: Path, *, found: str) -> None:
        super().__init__(
            expected=f"{CURRENT} in {root.name} to name a directory beside it",
            found=found,
            way_out="Make and publish one with `xuanpin run`, or a snapshot with "
            "`xuanpin features materialise`.",
        )


def publish(root: Path, name: str) -> None:
    """Make `root/name` the artefact in use, atomically.

    Raises:
        PointerError: the name has separators, or no such directory is there.
        StorageError: the pointer can't be written.
    """
    _resolve_directory(root, name)
    replace_file(root / CURRENT, f"{name}\n".encode())


def resolve(root: Path) -> Path:
    """Return the directory of the artefact in use.

    Raises:
        PointerError: nothing is published, or the pointer names nothing usable.
    """
    try:
        with (root / CURRENT).open("rb") as file:
            content = file.read(_MAX_BYTES)
    except OSError as error:
        raise PointerError(root, found="none") from error
    return _resolve_directory(root, content.decode(errors="replace").removesuffix("\n"))


def _resolve_directory(root: Path, name: str) -> Path:
    if not _PLAIN_NAME.fullmatch(name):
        raise PointerError(root, found=f"the name {name[:80]!r}")
    directory = root / name
    if directory.is_symlink() or not directory.is_dir():
        raise PointerError(root, found=f"no directory {name}")
    return directory
