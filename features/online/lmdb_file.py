"""A file of rows under byte keys, written once and then only read: the one file that knows LMDB.

It is memory-mapped: all processes that read it share its pages, and opening reads none of them
(lmdb.readthedocs.io).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import lmdb

from features.online.contents import SnapshotRefusedError

DATA: Final = "data.mdb"
MAX_KEY_BYTES: Final = 511
"""LMDB's own limit."""
SLACK_BYTES: Final = 1 << 24
ROWS_PER_TRANSACTION: Final = 20_000
"""Pages that a transaction changes stay in memory until it ends."""

Get = Callable[[bytes], bytes | None]
"""Returns the bytes of a key, None where it has no row."""


def write_keyed_file(
    directory: Path, rows: Iterable[tuple[bytes, bytes]], *, max_bytes: int
) -> None:
    """Write rows, sorted by key, into a new file that has room for `max_bytes`.

    Equal rows give equal bytes.
    """
    size = max_bytes + SLACK_BYTES
    with lmdb.open(str(directory), map_size=size, subdir=True, lock=False, sync=False) as file:
        left = iter(rows)
        while some := list(islice(left, ROWS_PER_TRANSACTION)):
            with file.begin(write=True) as transaction:
                for key, value in some:
                    if not transaction.put(key, value, append=True):
                        raise ValueError("a key is there twice, or out of turn")
        file.sync(True)  # noqa: FBT003 - LMDB's own signature


class KeyedFile:
    """A keyed file open for reading, safe to share between threads.

    Open it after forking: LMDB forbids to carry an environment across a fork.
    """

    def __init__(self, environment: Any) -> None:  # noqa: ANN401 - lmdb ships no types
        self._environment = environment

    @classmethod
    def open(cls, directory: Path) -> KeyedFile:
        """Map the file of a directory.

        Raises:
            SnapshotRefusedError: it isn't an LMDB file.
        """
        try:
            # Look-ups are scattered: reading ahead would only push other pages out of memory.
            environment = lmdb.open(
                str(directory), readonly=True, lock=False, subdir=True, readahead=False
            )
        except lmdb.Error as error:
            raise SnapshotRefusedError(
                directory, expected="an LMDB file", found=str(error).rpartition(": ")[2]
            ) from error
        return cls(environment)

    def close(self) -> None:
        """Unmap the file; reading fails afterwards."""
        self._environment.close()

    @contextmanager
    def begin_read(self) -> Iterator[Get]:
        """Yield what returns the bytes of a key.

        It copies them: a row is small, and a buffer object in its place takes longer to make.
        """
        with self._environment.begin() as transaction:
            yield transaction.get
