"""Temporary names whose leftovers a later process can tell from work in progress.

A process keeps a lock (flock) on each temporary file and directory that it makes. The lock ends
with the process, however it ends. So a name without a lock is a leftover, and the next process that
writes beside it removes it. Where a disk has no locks, nothing is removed.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PREFIX: Final = ".writing-"
EARLIER: Final = ".earlier"
"""Ending of the name that a directory has while another one takes its place."""


@contextmanager
def temporary_directory(parent: Path | None = None) -> Iterator[Path]:
    """Yield a new directory that only its owner may open; remove it at the end if it is there.

    It lies in `parent`, or in the system's directory for temporary files.
    """
    path, handle = create_directory(parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(handle)


def create_directory(parent: Path | None = None) -> tuple[Path, int]:
    """Make a locked temporary directory; return it with the handle that holds the lock."""
    place = Path(tempfile.gettempdir()) if parent is None else parent
    sweep(place)
    return _create_locked(lambda: Path(tempfile.mkdtemp(dir=place, prefix=PREFIX)))


@contextmanager
def temporary_file(parent: Path) -> Iterator[Path]:
    """Yield a new empty file; remove it at the end if it is there."""
    sweep(parent)
    path, handle = _create_locked(lambda: _create_file(parent))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def sweep(parent: Path) -> None:
    """Remove what processes that no longer run have left in a directory, and nothing else."""
    for path in list(parent.glob(f"{PREFIX}*")):
        if not _is_swap(path):
            with suppress(OSError):
                _remove_leftover(path)


def _is_swap(path: Path) -> bool:
    """Return True for both halves of a swap that was cut off: one of them is the only result."""
    if path.name.endswith(EARLIER):
        return path.with_name(path.name.removesuffix(EARLIER)).exists()
    return path.with_name(path.name + EARLIER).exists()


def _remove_leftover(path: Path) -> None:
    if path.lstat().st_uid != os.geteuid():
        return
    handle = _lock(path)
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(handle)


def _create_locked(create: Callable[[], Path]) -> tuple[Path, int]:
    """Make a path and lock it; make another one if a sweep came between."""
    while True:
        path = create()
        try:
            return path, _lock(path)
        except (BlockingIOError, FileNotFoundError):
            continue
        except OSError:  # this disk has no locks, so nothing is swept on it either
            return path, os.open(path, os.O_RDONLY)


def _create_file(parent: Path) -> Path:
    """Make an empty file as any program does, so that the umask says who may read it."""
    path = parent / f"{PREFIX}{secrets.token_hex(8)}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    return path


def _lock(path: Path) -> int:
    """Lock a file or a directory and return its handle.

    Raises:
        BlockingIOError: another process has it.
        OSError: it isn't there any more, or can't be locked.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _check_place(path, handle)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _check_place(path: Path, handle: int) -> None:
    """Check that the locked file is the one that has the name now."""
    if not os.path.samestat(os.fstat(handle), path.lstat()):
        raise FileNotFoundError(path)
