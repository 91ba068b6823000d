"""Write files so that they are there whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from features.runtime.errors import StorageError
from features.runtime.refusals import raise_storage_errors
from features.runtime.text import escape, join_names

_READABLE_BY_ALL: Final = 0o755


class ForeignDirectoryError(StorageError):
    """Refuse to replace a directory that we didn't write."""

    def __init__(self, directory: Path) -> None:
        found = "a file" if directory.is_file() else join_names(_list_names(directory), limit=5)
        super().__init__(
            expected=f"nothing, or an earlier result, at {escape(str(directory))}",
            found=found,
            way_out="Name another directory, or move what is there.",
        )


def _list_names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


class OverlapError(StorageError):
    """Refuse to write a result over what it is made of."""

    def __init__(self, source: Path, out: Path) -> None:
        super().__init__(
            expected="a directory to write outside the one to read",
            found=f"{escape(str(out))} to write and {escape(str(source))} to read",
            way_out="Name another directory to write.",
        )


def refuse_overlap(source: Path, out: Path) -> None:
    """Refuse an `out` whose replacement would remove the source.

    Raises:
        OverlapError: `out` is the source or lies above it.
    """
    read, written = source.resolve(), out.resolve()
    if read == written or written in read.parents:
        raise OverlapError(source, out)


@contextmanager
def publish_directory(out: Path, is_earlier_result: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield a directory to fill, which becomes `out` when the block ends without an error.

    It lies beside `out`, so that the last step is a rename. On any error it is removed and what
    stood at `out` stays. `is_earlier_result` tells an earlier result, which may be replaced, from a
    directory that may not.

    Raises:
        ForeignDirectoryError: something else stands at `out`.
        StorageError: the disk is full, read-only or otherwise refuses.
    """
    target = out.resolve()
    with raise_storage_errors():
        if target.exists() and not _is_replaceable(target, is_earlier_result):
            raise ForeignDirectoryError(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.partial-"))
        try:
            yield partial
            partial.chmod(_READABLE_BY_ALL)
            _swap(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _is_replaceable(target: Path, is_earlier_result: Callable[[Path], bool]) -> bool:
    return target.is_dir() and (not any(target.iterdir()) or is_earlier_result(target))


def _swap(partial: Path, target: Path) -> None:
    """Put a directory in the place of another; if that fails, the other is back."""
    if not target.exists():
        partial.rename(target)
        return
    earlier = partial.with_name(f"{partial.name}.earlier")
    target.rename(earlier)
    try:
        partial.rename(target)
    except OSError:
        earlier.rename(target)
        raise
    shutil.rmtree(earlier)


READABLE_DIRECTORY: Final = 0o755
READABLE_FILE: Final = 0o644


def write_directory(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write a new directory of files, complete or absent; it must not exist yet.

    Raises:
        StorageError: the disk is full, read-only or otherwise refuses.
    """
    with raise_storage_errors():
        _make_directory(directory.parent)
        temporary = Path(tempfile.mkdtemp(dir=directory.parent, prefix=".writing-"))
        try:
            for name, data in files.items():
                (temporary / name).write_bytes(data)
            rename_directory(temporary, directory)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def rename_directory(temporary: Path, directory: Path) -> None:
    """Give a directory of files its name on the same disk, once all in it survives a power cut."""
    for file in temporary.iterdir():
        _sync(file)
    temporary.chmod(READABLE_DIRECTORY)
    _sync(temporary)
    temporary.rename(directory)
    _sync(directory.parent)


@contextmanager
def write_atomically(path: Path, temporary_parent: Path | None = None) -> Iterator[Path]:
    """Yield a file to write, which takes the place of `path` when the block ends without an error.

    A reader of `path` sees the old bytes or the new ones; on any error the old ones stay. It is
    written in `temporary_parent`, a directory of the same disk, or else beside `path`.

    Raises:
        StorageError: the disk is full, read-only or otherwise refuses.
    """
    with raise_storage_errors():
        _make_directory(path.parent)
        handle, name = tempfile.mkstemp(dir=temporary_parent or path.parent, prefix=".writing-")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(READABLE_FILE)
            _sync(temporary)
            temporary.replace(path)
            _sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that nobody else may read, at any moment.

    Raises:
        StorageError: the disk refuses, or something is there already.
    """
    with raise_storage_errors():
        _make_directory(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123 - opens the handle that O_EXCL gave
            file.write(data)
        _sync(path)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file in place of the one before, whole or not at all.

    Raises:
        StorageError: the disk is full, read-only or otherwise refuses.
    """
    with write_atomically(path) as temporary:
        temporary.write_bytes(data)


def _make_directory(directory: Path) -> None:
    """Make a directory unless something is there; a file in its place is found on writing."""
    if not directory.exists():
        directory.mkdir(parents=True, exist_ok=True)


def _sync(path: Path) -> None:
    """Make a file's bytes, or the names in a directory, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
