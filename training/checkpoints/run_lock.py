"""One training at a time in a run directory, and a clean start after one that was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from features.runtime.errors import StorageError
from features.runtime.refusals import raise_storage_errors
from features.runtime.text import escape

LOCK: Final = ".lock"

UNFINISHED_PATTERNS: Final = (
    ".writing-*",
    ".tracking-*",
    "stages/**/.writing-*",
    "bundles/.writing-*/",
)
"""What a killed process may leave behind half written; in `bundles`, directories alone: others may
be writing the pointer there."""


class RunInUseError(StorageError):
    """Refuse a run directory that another process works in."""

    def __init__(self, directory: Path, process: str) -> None:
        super().__init__(
            expected=f"to be alone in the run directory {escape(str(directory))}",
            found=f"process {process} at work there",
            way_out="Wait until it ends, or name another directory with --out.",
        )


@contextmanager
def run_lock(directory: Path) -> Iterator[None]:
    """Keep other trainings out of a run directory; a process that dies lets them in again.

    Whatever a killed process left half written is removed.

    Raises:
        RunInUseError: another process is there.
        StorageError: the directory can't be written.
    """
    with raise_storage_errors():
        directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(handle, directory)
        with raise_storage_errors():
            _remove_unfinished(directory)
        yield
    finally:
        os.close(handle)  # which also unlocks


def _lock(handle: int, directory: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process = os.pread(handle, 20, 0).decode(errors="replace").strip()
        raise RunInUseError(directory, process or "unknown") from None
    with raise_storage_errors():
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)


def _remove_unfinished(directory: Path) -> None:
    for pattern in UNFINISHED_PATTERNS:
        for path in list(directory.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
