"""Temporary names whose leftovers a later process can tell from work in progress.

A process keeps a lock (flock) on each temporary file and directory that it makes. The lock ends
with the process, however it ends. So a name of our form without a lock is a leftover, and the next
process that writes beside it removes it. Where a disk has no locks, nothing is removed.

A directory replaces another one in two renames. If the process is killed between them, no directory
has the name of the result; the next process gives it to the new one, which is whole.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PREFIX: Final = ".xuanpin-writing-"
_EARLIER: Final = ".earlier-"
_NAME: Final = re.compile(
    rf"(?P<staged>{re.escape(PREFIX)}[0-9a-f]{{16}})({re.escape(_EARLIER)}(?P<target>.+))?",
    re.DOTALL,
)
"""The names that this program makes. What has another name is a user's own, and stays."""


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
    return _create_locked(lambda: _make_directory(place))


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
    """Remove what processes that no longer run have left in a directory, and nothing else.

    A replacement of a directory that was cut off is finished first.
    """
    for path in list(parent.glob(f"{PREFIX}*")):
        name = _NAME.fullmatch(path.name)
        if name is None:
            continue
        with suppress(OSError):
            if name["target"]:
                _finish_replacement(parent / name["staged"], parent / name["target"])
            _remove_leftover(path)


def earlier_path(staged: Path, target: Path) -> Path:
    """Return the name that `target` has while a staged directory takes its place."""
    return staged.with_name(f"{staged.name}{_EARLIER}{target.name}")


def _finish_replacement(staged: Path, target: Path) -> None:
    """Give a staged directory its name unless it has it already.

    Raises:
        OSError: its process is at work, or there is something else under the name.
    """
    if staged.exists():
        with _lock_leftover(staged):
            staged.rename(target)


def _remove_leftover(path: Path) -> None:
    with _lock_leftover(path):
        if any(path.parent.glob(f"{path.name}{_EARLIER}*")):
            return  # one of the two is the only result
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def _lock_leftover(path: Path) -> Iterator[None]:
    """Lock what a dead process of this account has left.

    Raises:
        OSError: it belongs to a running process or to another account.
    """
    if path.lstat().st_uid != os.geteuid():
        raise PermissionError(path)
    handle = _lock(path)
    try:
        yield
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


def _new_path(parent: Path) -> Path:
    return parent / f"{PREFIX}{secrets.token_hex(8)}"


def _make_directory(parent: Path) -> Path:
    path = _new_path(parent)
    path.mkdir(0o700)
    return path


def _create_file(parent: Path) -> Path:
    """Make an empty file as any program does, so that the umask says who may read it."""
    path = _new_path(parent)
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
