"""A read-only file of rows under byte keys; the only file that knows LMDB (lmdb.readthedocs.io).

The file is memory-mapped: all processes that read it share its pages, and opening reads none.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

import lmdb

from features.online.contents import SnapshotRefusedError

DATA: Final = "data.mdb"
MAX_KEY_BYTES: Final = 511
"""LMDB's own limit."""
SLACK_BYTES: Final = 1 << 24
ROWS_PER_TRANSACTION: Final = 20_000
"""Pages that a transaction changes stay in memory until it ends."""

Get = Callable[[bytes], bytes | None]
"""Return the value of a key, None if there is no such row."""


def write_keyed_file(
    directory: Path, rows: Iterable[tuple[bytes, bytes]], *, max_bytes: int
) -> None:
    """Write rows, sorted by key, into a new file that has room for `max_bytes`.

    Equal rows give equal bytes.

    Raises:
        ValueError: a key occurs twice, or the rows are not sorted.
    """
    size = max_bytes + SLACK_BYTES
    with lmdb.open(str(directory), map_size=size, subdir=True, lock=False, sync=False) as file:
        remaining = iter(rows)
        while block := list(islice(remaining, ROWS_PER_TRANSACTION)):
            with file.begin(write=True) as transaction, transaction.cursor() as cursor:
                _, added = cursor.putmulti(block, append=True)
                if added < len(block):
                    raise ValueError("a key is there twice, or out of order")
        file.sync(True)  # noqa: FBT003 - LMDB's own signature


class KeyedFile:
    """A keyed file open for reading, safe to share between threads.

    Open it after forking: LMDB forbids carrying an environment across a fork.
    """

    def __init__(self, environment: Any, handle: int) -> None:  # noqa: ANN401 - lmdb ships no types
        self._environment = environment
        # LMDB takes a second file under an equal path for the first, so the handle stays taken.
        self._close_handle = weakref.finalize(self, os.close, handle)

    @classmethod
    def open(cls, directory: Path, data: BinaryIO) -> KeyedFile:
        """Map the file of a directory that is open as `data`, whatever now has its name.

        Raises:
            SnapshotRefusedError: it is not an LMDB file.
        """
        handle = os.dup(data.fileno())
        try:
            # Look-ups are scattered: reading ahead would only push other pages out of memory.
            environment = lmdb.open(
                f"/dev/fd/{handle}", readonly=True, lock=False, subdir=False, readahead=False
            )
        except lmdb.Error as error:
            os.close(handle)
            message = str(error).rpartition(": ")[2]
            raise SnapshotRefusedError(directory, f"LMDB can't open {DATA} ({message})") from error
        return cls(environment, handle)

    def close(self) -> None:
        """Unmap the file; reading fails afterwards."""
        self._environment.close()
        self._close_handle()

    @contextmanager
    def begin_read(self) -> Iterator[Get]:
        """Yield the function that returns the value of a key.

        Values are copied: a row is small, and making a buffer object takes longer than a copy.
        """
        with self._environment.begin() as transaction:
            yield transaction.get
