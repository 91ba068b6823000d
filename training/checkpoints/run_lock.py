"""Lock a run directory for one training, and clean up after a training that was killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from features.runtime.atomic import PRIVATE_DIRECTORY
from features.runtime.errors import StorageError
from features.runtime.refusals import raise_storage_errors
from features.runtime.temporary import sweep
from features.runtime.text import escape_path

LOCK: Final = ".lock"

WRITTEN_FOLDERS: Final = ("stages/**/", "bundles", "snapshots")


class RunInUseError(StorageError):
    """Refuse a run directory in which another process is training."""

    def __init__(self, directory: Path, process_id: str) -> None:
        process = f"Process {process_id}" if process_id else "Another process"
        super().__init__(
            problem=f"{process} is already training in {escape_path(directory)}.",
            hint="Wait for it, or choose another --out.",
        )


@contextmanager
def run_lock(directory: Path) -> Iterator[None]:
    """Lock a run directory against other trainings until the block ends or the process dies.

    Files that a killed process left incomplete are removed.

    Raises:
        RunInUseError: another process is training there.
        StorageError: the directory can't be written.
    """
    with raise_storage_errors():
        directory.mkdir(PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(handle, directory)
        with raise_storage_errors():
            _clean_up(directory)
        yield
    finally:
        os.close(handle)  # which also unlocks


def _lock(handle: int, directory: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process_id = os.pread(handle, 20, 0).decode(errors="replace").strip()
        raise RunInUseError(directory, process_id) from None
    with raise_storage_errors():
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)


def _clean_up(directory: Path) -> None:
    """Remove what killed processes left, wherever a training writes."""
    sweep(directory)
    for pattern in WRITTEN_FOLDERS:
        for folder in directory.glob(pattern):
            sweep(folder)
