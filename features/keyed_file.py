"""A file of rows under byte keys, written once and then only read: the one file that knows LMDB.

It is memory-mapped: all processes that read it share its pages (lmdb.readthedocs.io).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import lmdb
import numpy as np
import numpy.typing as npt

from features.snapshot import SnapshotRefusedError

DATA: Final = "data.mdb"
MOST_KEY_BYTES: Final = 511
"""LMDB's own limit."""
SLACK_BYTES: Final = 1 << 24
BYTES_A_TRANSACTION: Final = 1 << 24
"""Pages that a transaction changes stay in memory until it ends."""

Value = bytes | memoryview
Get = Callable[[bytes], bytes | None]
"""Returns the bytes of a key, None where it has no row."""


def write_keyed_file(
    directory: Path, rows: Iterable[tuple[bytes, Value]], *, most_bytes: int
) -> None:
    """Write rows, sorted by key, into a new file that has room for `most_bytes`.

    Equal rows give equal bytes.
    """
    size = most_bytes + SLACK_BYTES
    with lmdb.open(str(directory), map_size=size, subdir=True, lock=False, sync=False) as file:
        for some in _batches(rows):
            with file.begin(write=True) as transaction:
                for key, value in some:
                    transaction.put(key, value, append=True)
        file.sync(True)  # noqa: FBT003 - LMDB's own signature


def _batches(rows: Iterable[tuple[bytes, Value]]) -> Iterator[list[tuple[bytes, Value]]]:
    """Yield rows in lists of a bounded size, or alone where they are larger."""
    batch: list[tuple[bytes, Value]] = []
    held = 0
    for key, value in rows:
        batch.append((key, value))
        held += len(value)
        if held >= BYTES_A_TRANSACTION:
            yield batch
            batch, held = [], 0
    yield batch


class KeyedFile:
    """A keyed file open for reading, safe to share between threads.

    It stays mapped as long as anybody holds it. Open it after forking: LMDB forbids to carry an
    environment across a fork.
    """

    def __init__(self, directory: Path, environment: Any) -> None:  # noqa: ANN401 - lmdb ships no types
        self.directory = directory
        self._environment = environment

    @classmethod
    def open(cls, directory: Path) -> KeyedFile:
        """Map the file of a directory.

        Raises:
            SnapshotRefusedError: it isn't an LMDB file.
        """
        try:
            environment = lmdb.open(str(directory), readonly=True, lock=False, subdir=True)
        except lmdb.Error as error:
            raise SnapshotRefusedError(
                directory, expected="an LMDB file", found=str(error).rpartition(": ")[2]
            ) from error
        return cls(directory, environment)

    @contextmanager
    def reading(self) -> Iterator[Get]:
        """Yield what returns the bytes of a key.

        It copies them: a row is small, and a buffer object in its place takes longer to make.
        """
        with self._environment.begin() as transaction:
            yield transaction.get

    def words(self, keys: Iterable[bytes]) -> list[npt.NDArray[np.uint64]]:
        """Return the mapped bytes of keys as words, nothing copied, up to a missing key.

        Whoever holds one must hold this file too: it is what keeps them mapped. LMDB's binding
        touches each page of a value, so that this takes some milliseconds a gigabyte, and look-ups
        meet no page for the first time.
        """
        found = []
        with self._environment.begin(buffers=True) as transaction:
            for key in keys:
                value = transaction.get(key)
                if value is None:
                    break
                found.append(np.frombuffer(value, "<u8"))
        return found
