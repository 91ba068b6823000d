"""What a disk may refuse, in a person's words."""

from __future__ import annotations

import errno
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from features.runtime.errors import StorageError
from features.runtime.text import escape

REFUSALS: Final = {
    errno.ENOSPC: ("room on the disk", "it is full", "Free some space, or write elsewhere."),
    errno.EDQUOT: ("room within the quota", "none is left", "Free some space, or write elsewhere."),
    errno.EFBIG: (
        "a file as large as needed",
        "a limit on the size of files",
        "Raise the limit (`ulimit -f`), or write elsewhere.",
    ),
    errno.EROFS: ("a disk that can be written", "a read-only one", "Write elsewhere."),
    errno.EACCES: ("permission", "none", "Change the permissions, or use another place."),
    errno.EPERM: ("permission", "none", "Change the permissions, or use another place."),
    errno.ENOTDIR: ("a directory", "a file in its place", "Name another place."),
    errno.EISDIR: ("a file", "a directory in its place", "Name a file."),
    errno.EEXIST: ("a directory", "a file in its place", "Name another place."),
    errno.ENOENT: ("a file or directory that exists", "none", "Create it, or name another."),
    errno.ENAMETOOLONG: ("a name that the disk takes", "a longer one", "Name another place."),
    errno.EIO: ("a disk that works", "an input/output error", "Look after the disk."),
}
"""By error number: what was expected, what was found, the way out."""


class RefusedByDiskError(StorageError):
    """Say what the operating system refused to do, and where."""

    def __init__(self, error: OSError) -> None:
        expected, found, way_out = REFUSALS[error.errno or 0]
        place = f" for {escape(str(error.filename))}" if error.filename else ""
        super().__init__(expected=f"{expected}{place}", found=found, way_out=way_out)


def as_storage_error(error: OSError) -> StorageError | None:
    """Return the error a user should see, or None where the disk isn't to blame."""
    return RefusedByDiskError(error) if error.errno in REFUSALS else None


@contextmanager
def raise_storage_errors() -> Iterator[None]:
    """Raise what the disk refuses as a StorageError."""
    try:
        yield
    except OSError as error:
        refused = as_storage_error(error)
        if refused is None:
            raise
        raise refused from error


_ERRNO: Final = re.compile(r'"errno":\s*"(\d+)"')


class QueryTooLargeError(StorageError):
    """Say that a query holds more than memory and the room to spill to allow."""

    def __init__(self) -> None:
        super().__init__(
            expected="room for what a query holds, in memory and where it spills to, "
            f"{tempfile.gettempdir()}",
            found="none left",
            way_out="Free space there, name another place in TMPDIR, or give fewer rows at a time.",
        )


def as_engine_error(error: Exception) -> StorageError | None:
    """Return the error a user should see, or None where neither memory nor disk is to blame.

    The engine's module isn't imported for it: who never used it can't have met its errors.
    """
    engine = sys.modules.get("duckdb")
    if engine is None or not isinstance(error, engine.Error):
        return None
    if isinstance(error, engine.OutOfMemoryException):
        return QueryTooLargeError()
    number = _ERRNO.search(str(error))
    return as_storage_error(OSError(int(number[1]), "")) if number else None
