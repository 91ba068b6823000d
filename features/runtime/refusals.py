"""Turn what the disk or the query engine refuses into errors with a way out."""

from __future__ import annotations

import errno
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from features.runtime.errors import StorageError
from features.runtime.text import escape, escape_path

REFUSALS: Final = {
    errno.ENOSPC: ("The disk is full", "Free some space, or write to another disk."),
    errno.EDQUOT: ("The disk quota is used up", "Free some space, or write to another disk."),
    errno.EFBIG: (
        "The file exceeds the system's limit on file sizes",
        "Raise the limit (`ulimit -f`), or write to another disk.",
    ),
    errno.EROFS: ("The disk is read-only", "Write to another disk."),
    errno.EACCES: ("Permission denied", "Change the permissions, or choose another path."),
    errno.EPERM: ("Permission denied", "Change the permissions, or choose another path."),
    errno.ENOTDIR: ("A part of the path is a file, not a directory", "Choose another path."),
    errno.EISDIR: ("The path is a directory, not a file", "Name a file."),
    errno.EEXIST: ("The path exists already", "Choose another path."),
    errno.ENOTEMPTY: ("The directory isn't empty", "Choose another path."),
    errno.ENOENT: ("There is no such file or directory", "Create it, or choose another path."),
    errno.ENAMETOOLONG: ("The name is too long for the disk", "Choose a shorter path."),
    errno.EIO: ("The disk reports an input/output error", "Check the disk."),
}
"""By error number: the problem without its full stop, and the hint."""


class RefusedByDiskError(StorageError):
    """Report what the operating system refused, and for which path."""

    def __init__(self, error: OSError) -> None:
        problem, hint = REFUSALS[error.errno or 0]
        name = error.filename2 or error.filename  # a rename's target: its source is temporary
        path = f": {escape_path(str(name))}" if name else ""
        super().__init__(problem=f"{problem}{path}.", hint=hint)


class QueryTooLargeError(StorageError):
    """Report a query that needs more memory and temporary space than there is."""

    def __init__(self) -> None:
        directory = tempfile.gettempdir()
        super().__init__(
            problem=f"A query needs more memory, and more temporary space in {directory}, than "
            "there is.",
            hint="Free space there, set TMPDIR to another directory, or give fewer rows at a time.",
        )


class NotEnoughMemoryError(StorageError):
    """Report that memory is used up, and by the reading of which file, if it is known."""

    def __init__(self, file: Path | None = None) -> None:
        work = f"read the file {escape(file.name)}" if file else "go on"
        super().__init__(
            problem=f"There isn't enough memory to {work}.",
            hint="Close other programs, use a larger machine, or give fewer rows at a time.",
        )


def as_storage_error(error: OSError) -> StorageError | None:
    """Return the error to show to a user, or None if the disk isn't the cause."""
    return RefusedByDiskError(error) if error.errno in REFUSALS else None


@contextmanager
def raise_storage_errors() -> Iterator[None]:
    """Raise an `OSError` of the disk as a `StorageError`; other errors pass unchanged."""
    try:
        yield
    except OSError as error:
        refused = as_storage_error(error)
        if refused is None:
            raise
        raise refused from error


_ERRNO: Final = re.compile(r'"errno":\s*"(\d+)"')
"""Where DuckDB's messages have the error number of the system."""


def as_engine_error(error: Exception) -> StorageError | None:
    """Return the error to show to a user, or None if neither memory nor disk is the cause.

    DuckDB isn't imported here: a process that never imported it can't raise its errors.
    """
    if isinstance(error, MemoryError):
        return NotEnoughMemoryError()
    engine = sys.modules.get("duckdb")
    if engine is None or not isinstance(error, engine.Error):
        return None
    if isinstance(error, engine.OutOfMemoryException):
        return QueryTooLargeError()
    number = _ERRNO.search(str(error))
    return as_storage_error(OSError(int(number[1]), "")) if number else None
