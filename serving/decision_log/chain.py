"""Append files to a worker's chain, and delete the oldest ones when their time is over.

A worker takes the first chain that no running process has, and continues it. So a log has as many
chains as workers ever ran at once, and rows keep their order in a chain whatever the clock does.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Final

import pyarrow as pa

from features.runtime.atomic import PRIVATE_DIRECTORY
from features.runtime.errors import StorageError
from features.runtime.refusals import raise_storage_errors
from serving.decision_log.arrow_arrays import build_numbers, read_numbers
from serving.decision_log.chain_files import (
    CHAIN_NAME,
    HEAD,
    LOCK,
    PRIVATE_FILE,
    RETENTION,
    START,
    FileFacts,
    Link,
    LogFile,
    encode_table,
    list_files,
    name_file,
    read_facts,
    read_link,
    write_link,
    write_whole,
)
from serving.decision_log.log_settings import prepare_log

SEQUENCE: Final = 0
"""Index of the column `sequence`."""


class Chain:
    """A chain that this process alone appends to; `open_chain` makes one."""

    def __init__(self, directory: Path, lock: int) -> None:
        """Continue the chain in `directory`, whose lock file this process holds.

        Raises:
            BrokenLogFileError: the newest file is no part of a log.
        """
        self._directory = directory
        self._root = directory.parent
        self._lock = lock
        self._files = deque(list_files(directory))
        self._head = _find_head(directory, self._files)

    @property
    def next_sequence(self) -> int:
        """Return the number that the next row of the chain may have."""
        return self._head.next_sequence

    def append(self, table: pa.Table, hour: str, *, first_sequence: int) -> None:
        """Write rows as the next file; add `first_sequence` to their numbers.

        Either the whole file is there afterwards, or none.

        Raises:
            StorageError: the disk refuses, or somebody removed the chain's directory.
        """
        self._check_place()
        numbers = read_numbers(table.column(SEQUENCE)) + first_sequence
        numbered = table.set_column(SEQUENCE, table.schema.field(SEQUENCE), build_numbers(numbers))
        number, last = self._head.number + 1, int(numbers[-1])
        facts = FileFacts(
            chain=self._directory.name,
            number=number,
            hour=hour,
            previous=self._head.sha256,
            first_sequence=int(numbers[0]),
            last_sequence=last,
            rows=table.num_rows,
        )
        data = encode_table(numbered, facts)
        path = self._directory / name_file(hour, number)
        write_whole(path, data, self._root)
        self._head = Link(number, hashlib.sha256(data).hexdigest(), last + 1)
        self._files.append(LogFile(number, hour, path))
        with suppress(StorageError, OSError):  # the file is there; the next head names it too
            write_link(self._directory / HEAD, self._head, self._root)

    def remove_before(self, hour: str) -> None:
        """Delete the oldest files, those of earlier hours; first record which was the last.

        Raises:
            StorageError: the disk refuses.
        """
        old = list(takewhile(lambda file: file.hour < hour, self._files))
        if not old:
            return
        with raise_storage_errors(), suppress(FileNotFoundError):
            write_link(self._directory / RETENTION, _describe(old[-1]), self._root)
        with raise_storage_errors():
            for file in old:
                file.path.unlink(missing_ok=True)
                self._files.popleft()

    def close(self) -> None:
        """Let another process continue the chain."""
        os.close(self._lock)

    def _check_place(self) -> None:
        """Check that the chain's directory still is the one that this process locked."""
        with raise_storage_errors():
            if not os.path.samestat(os.fstat(self._lock), (self._directory / LOCK).stat()):
                raise FileNotFoundError(errno.ENOENT, "", str(self._directory / LOCK))


def _find_head(directory: Path, files: deque[LogFile]) -> Link:
    """Return the newest file; the record lags behind if a process was killed in between."""
    head = read_link(directory / HEAD) or START
    return head if not files or files[-1].number <= head.number else _describe(files[-1])


def _describe(file: LogFile) -> Link:
    digest = hashlib.sha256(file.path.read_bytes()).hexdigest()
    return Link(file.number, digest, read_facts(file.path).last_sequence + 1)


def open_chain(root: Path) -> Chain:
    """Take the first chain of a log that no running process has, or begin another.

    Raises:
        StorageError: the disk refuses.
        BrokenLogFileError: the newest file of the chain is no part of a log.
    """
    prepare_log(root)
    with raise_storage_errors(), _lock_log(root):
        number = 0
        while True:
            directory = root / f"worker-{number:02d}"
            directory.mkdir(PRIVATE_DIRECTORY, exist_ok=True)
            lock = _try_lock(directory / LOCK)
            if lock is not None:
                return _open_locked(directory, lock)
            number += 1


def remove_idle_before(root: Path, hour: str) -> None:
    """Delete old files of the chains that no running process has.

    Raises:
        StorageError: the disk refuses.
    """
    with raise_storage_errors(), _lock_log(root):
        for directory in sorted(root.iterdir()):
            lock = _try_lock(directory / LOCK) if CHAIN_NAME.fullmatch(directory.name) else None
            if lock is not None:
                chain = _open_locked(directory, lock)
                chain.remove_before(hour)
                chain.close()


def _open_locked(directory: Path, lock: int) -> Chain:
    try:
        return Chain(directory, lock)
    except BaseException:
        os.close(lock)
        raise


@contextmanager
def _lock_log(root: Path) -> Iterator[None]:
    """Wait until no other worker chooses a chain."""
    handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _try_lock(path: Path) -> int | None:
    """Return the handle that holds a lock; None if another process has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
