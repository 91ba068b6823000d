"""Publishing a directory: whole or not at all, and never over something that isn't ours."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from features.errors import StorageError
from features.storage import storage_errors
from features.wording import listed, shown

_READABLE_BY_ALL: Final = 0o755


class ForeignDirectoryError(StorageError):
    """Refuse to replace a directory that we didn't write."""

    def __init__(self, directory: Path) -> None:
        found = "a file" if directory.is_file() else listed(_names_in(directory), most=5)
        super().__init__(
            expected=f"nothing, or an earlier result, at {shown(str(directory))}",
            found=found,
            way_out="Name another directory, or move what is there.",
        )


def _names_in(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


class OverlapError(StorageError):
    """Refuse to write a result over what it is made of."""

    def __init__(self, source: Path, out: Path) -> None:
        super().__init__(
            expected="a directory to write outside the one to read",
            found=f"{shown(str(out))} to write and {shown(str(source))} to read",
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
def published(out: Path, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield a directory to fill, which becomes `out` when the block ends without an error.

    It lies beside `out`, so that the last step is a rename. On any error it is removed and what
    stood at `out` stays. `is_ours` tells an earlier result, which may be replaced, from a directory
    that may not.

    Raises:
        ForeignDirectoryError: something else stands at `out`.
        StorageError: the disk is full, read-only or otherwise refuses.
    """
    target = out.resolve()
    with storage_errors():
        if target.exists() and not _is_replaceable(target, is_ours):
            raise ForeignDirectoryError(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.partial-"))
        try:
            yield partial
            partial.chmod(_READABLE_BY_ALL)
            _swap(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _is_replaceable(target: Path, is_ours: Callable[[Path], bool]) -> bool:
    return target.is_dir() and (not any(target.iterdir()) or is_ours(target))


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
