"""Read a small file that someone else may have replaced: by a link, a pipe or something huge."""

from __future__ import annotations

import os
import stat
from io import BufferedReader
from pathlib import Path


class RefusedReadError(Exception):
    """Say why a file isn't read; the caller knows what the file is for.

    `size` is its number of bytes if it is too large, else None.
    """

    def __init__(self, reason: str, size: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.size = reason, size


def read_plain(path: Path, max_bytes: int, *, follow_link: bool = False) -> bytes:
    """Read a regular file; a pipe isn't waited for, and no more than `max_bytes` are read.

    Raises:
        RefusedReadError: it is missing, of another kind, too large, or the system refuses.
    """
    with open_plain(path, follow_link=follow_link) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            reason = f"it has {size:,} bytes, and at most {max_bytes:,} are read"
            raise RefusedReadError(reason, size=size)
        return file.read(max_bytes)


def open_plain(path: Path, *, follow_link: bool = False) -> BufferedReader:
    """Open a regular file for reading; a pipe isn't waited for.

    Raises:
        RefusedReadError: it is missing, of another kind, or the system refuses.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow_link else os.O_NOFOLLOW)
    if path.is_symlink() and not follow_link:
        raise RefusedReadError("it is a symbolic link")
    try:
        handle = os.open(path, flags)
    except FileNotFoundError as error:
        raise RefusedReadError("it is missing") from error
    except OSError as error:
        raise RefusedReadError(error.strerror or "it can't be opened") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RefusedReadError("it is not a plain file")
    return open(handle, "rb")  # noqa: PTH123 - opens the handle that O_NOFOLLOW gave
