"""What the embedded engine refuses for want of memory or disk, in a person's words."""

from __future__ import annotations

import re
import sys
import tempfile
from typing import Final

from features.errors import StorageError
from features.storage import as_storage_error

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
