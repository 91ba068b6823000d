"""Write a file or a directory whole: a reader sees all of it or nothing, even after a power cut.

`write_atomically` and `replace_file` write a file, `write_directory` a directory. Each writes to a
temporary name beside the target and renames it at the end. A killed process leaves only temporary
names (features/runtime/temporary.py), which the next one that writes there removes.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from features.runtime.errors import StorageError
from features.runtime.refusals import raise_storage_errors
from features.runtime.temporary import earlier_path, temporary_directory, temporary_file
from features.runtime.text import escape_path, join_names

PRIVATE_DIRECTORY: Final = 0o700
"""Mode of a directory with rows of people or of the business."""
READABLE_DIRECTORY: Final = 0o755
"""Mode of a bundle or a snapshot: the service may run under another account."""


class ForeignDirectoryError(StorageError):
    """Refuse to replace a directory that this program didn't write."""

    def __init__(self, directory: Path) -> None:
        path = escape_path(directory)
        if directory.is_file():
            problem = f"The path {path} is a file, not a directory."
        else:
            names = sorted(entry.name for entry in directory.iterdir())
            problem = f"The directory {path} holds other files: {join_names(names, limit=5)}."
        super().__init__(problem=problem, hint="Name another directory, or move what is there.")


class OverlapError(StorageError):
    """Refuse to write a result over its own source."""

    def __init__(self, source: Path, out: Path) -> None:
        super().__init__(
            problem=f"Writing {escape_path(out)} would replace its own source, "
            f"{escape_path(source)}.",
            hint="Name another directory to write.",
        )


def refuse_overlap(source: Path, out: Path) -> None:
    """Refuse an `out` whose replacement would remove the source.

    Raises:
        OverlapError: `out` is the source or lies above it.
    """
    source_path, out_path = source.resolve(), out.resolve()
    if source_path == out_path or out_path in source_path.parents:
        raise OverlapError(source, out)


def is_empty(directory: Path) -> bool:
    """Return True for a directory without entries."""
    return not any(directory.iterdir())


@contextmanager
def write_directory(
    directory: Path,
    is_replaceable: Callable[[Path], bool] = is_empty,
    *,
    mode: int = PRIVATE_DIRECTORY,
) -> Iterator[Path]:
    """Yield a temporary directory to fill; it becomes `directory` if the block ends without error.

    On any error the temporary directory is removed and the earlier `directory` stays. An existing
    `directory` is replaced if it is empty or `is_replaceable` accepts it. A new one gets `mode`; a
    replaced one passes its mode on.

    Raises:
        ForeignDirectoryError: `directory` exists and may not be replaced.
        StorageError: the disk is full, read-only or otherwise refuses.
    """
    target = directory.resolve()
    with stage_directory(target.parent) as staged:
        _refuse_foreign(target, is_replaceable)
        yield staged
        _refuse_foreign(target, is_replaceable)  # it may have appeared meanwhile
        replace_directory(staged, target, mode=mode)


def _refuse_foreign(directory: Path, is_replaceable: Callable[[Path], bool]) -> None:
    with raise_storage_errors():
        if not directory.exists():
            return
        if not directory.is_dir() or not (is_empty(directory) or is_replaceable(directory)):
            raise ForeignDirectoryError(directory)


@contextmanager
def stage_directory(parent: Path) -> Iterator[Path]:
    """Yield a temporary directory in `parent`, which is removed at the end if it is still there.

    For a directory whose name depends on its content: `replace_directory` gives it the name.

    Raises:
        StorageError: the disk is full, read-only or otherwise refuses.
    """
    with raise_storage_errors():
        _make_directory(parent)
        with temporary_directory(parent) as staged:
            yield staged


def replace_directory(staged: Path, directory: Path, *, mode: int = READABLE_DIRECTORY) -> None:
    """Rename a staged directory to `directory` on the same disk, and remove an earlier one.

    All files are on the disk before the rename. If the rename fails, the earlier directory is back.

    Raises:
        OSError: the disk refuses, or `directory` is a file or a link.
    """
    is_replaced = directory.is_dir() and not directory.is_symlink()
    staged.chmod(stat.S_IMODE(directory.stat().st_mode) if is_replaced else mode)
    _sync_tree(staged)
    if is_replaced:
        _swap(staged, directory)
    else:
        staged.rename(directory)
    _sync(directory.parent)


def _swap(staged: Path, directory: Path) -> None:
    """Replace a directory by another; if that fails, the earlier one is back."""
    earlier = earlier_path(staged, directory)
    directory.rename(earlier)
    try:
        staged.rename(directory)
    except OSError:
        earlier.rename(directory)
        raise
    shutil.rmtree(earlier, ignore_errors=True)  # what stays, the next process here removes


@contextmanager
def write_atomically(path: Path, temporary_parent: Path | None = None) -> Iterator[Path]:
    """Yield a temporary file to write; it becomes `path` if the block ends without error.

    On any error the earlier `path` stays, and a new one gets its mode. The temporary file lies
    beside `path`, or else in `temporary_parent`, a directory of the same disk.

    Raises:
        StorageError: the disk is full, read-only or otherwise refuses, or `path` is a directory.
    """
    check_writable(path)
    with raise_storage_errors():
        _make_directory(path.parent)
        with temporary_file(temporary_parent or path.parent) as temporary:
            yield temporary
            if path.is_file():
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            _sync(temporary)
            temporary.replace(path)
            _sync(path.parent)


def check_writable(path: Path) -> None:
    """Check that a file can be written at `path`, before long work and without making anything.

    Raises:
        StorageError: `path` is a directory, or its parent can't be made or written.
    """
    with raise_storage_errors():
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "", str(path))
        parent = next(each for each in path.absolute().parents if each.exists())
        try:
            tempfile.TemporaryFile(dir=parent).close()
        except OSError as error:
            raise OSError(error.errno, "", str(path)) from error


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole, in place of an earlier one.

    Raises:
        StorageError: the disk is full, read-only or otherwise refuses.
    """
    with write_atomically(path) as temporary:
        temporary.write_bytes(data)


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner may read, from its first moment on.

    Raises:
        StorageError: the disk refuses, or `path` exists already.
    """
    with raise_storage_errors():
        _make_directory(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123 - opens the handle that O_EXCL gave
            file.write(data)
        _sync(path)


def _make_directory(directory: Path) -> None:
    """Make a directory unless the path exists; if it is a file, writing into it fails later."""
    if not directory.exists():
        directory.mkdir(parents=True, exist_ok=True)


def _sync_tree(directory: Path) -> None:
    for path, _, names in os.walk(directory, topdown=False):
        for name in names:
            _sync(Path(path, name))
        _sync(Path(path))


def _sync(path: Path) -> None:
    """Make a file's bytes, or the names in a directory, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
