"""The online snapshot: the base features of every live key at one moment, for look-up by key.

A snapshot is a directory of two files: an LMDB file with vectors and facts, memory-mapped and
shared by all processes that read it (docs/decisions/online-store.md), and `snapshot.json`, which
describes it. It never changes once written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from features.declarations.column_blocks import ColumnBlocks
from features.declarations.levels import LEVEL_KEYS, Level
from features.online.contents import ListingFacts, ProductFacts, SnapshotAbout
from features.online.files import SnapshotFiles, derive_id, open_files
from features.online.key_bytes import (
    LISTING_FACTS,
    ONLY_LISTING,
    PRODUCT_FACTS,
    VECTOR_DTYPE,
    JoinedKey,
    encode_keys,
    join_key_parts,
    join_pairs,
)
from features.online.lmdb_file import Get, KeyedFile
from features.runtime.arrays import BoolArray, FloatArray
from features.runtime.signature import PublicKey

_PRODUCT: Final = msgspec.json.Decoder(ProductFacts)
_LISTING: Final = msgspec.json.Decoder(ListingFacts)
_NAME: Final = msgspec.json.Decoder(str)


@dataclass(frozen=True)
class LookupKeys:
    """The keys of candidates, one entry a candidate; None if it has no such key."""

    listing_id: Sequence[str | None]
    product_id: Sequence[str | None]
    supplier_id: Sequence[str | None]
    creator_id: Sequence[str | None]
    category: Sequence[str | None]
    market: Sequence[str | None]

    def at_level(self, level: Level) -> Sequence[JoinedKey]:
        """Return the key of each candidate at a level."""
        parts: list[Sequence[JoinedKey]] = [getattr(self, name) for name in LEVEL_KEYS[level]]
        if len(parts) == 1:
            return parts[0]
        return join_pairs(*parts)


@dataclass(frozen=True)
class LookupResult:
    """Base features by name, one block a level, and which keys had a vector."""

    columns: ColumnBlocks
    found: Mapping[Level, BoolArray]


class OnlineSnapshot:
    """A snapshot open for reading: immutable, safe to share between threads.

    Open it after forking: its file can't be carried across a fork.
    """

    def __init__(self, about: SnapshotAbout, snapshot_id: str, file: KeyedFile) -> None:
        self.about = about
        self.snapshot_id = snapshot_id
        self.categories = frozenset(about.categories)
        self.file = file
        self._defaults = {
            level: np.array(described.defaults, dtype=VECTOR_DTYPE).tobytes()
            for level, described in about.levels.items()
        }

    @classmethod
    def open(cls, directory: Path) -> OnlineSnapshot:
        """Open a snapshot directory of this process's own, without reading its data.

        Raises:
            SnapshotRefusedError: files are missing, of another format or of another size.
        """
        with open_files(directory) as files:
            return cls._map(files, files.describe())

    @classmethod
    def open_verified(cls, directory: Path, key: PublicKey | None = None) -> OnlineSnapshot:
        """Open a snapshot directory and prove that these very files are unchanged.

        With a key, its owner must have signed them (`verify_snapshot`).

        Raises:
            SnapshotRefusedError: a byte differs, or the directory has another name.
            SignatureRefusedError: the key's owner didn't sign it.
        """
        with open_files(directory) as files:
            if key is not None:
                files.check_signature(key)
            return cls._map(files, files.verify())

    @classmethod
    def _map(cls, files: SnapshotFiles, about: SnapshotAbout) -> OnlineSnapshot:
        keyed = KeyedFile.open(files.directory, files.data)
        return cls(about, derive_id(files.description), keyed)

    def close(self) -> None:
        """Unmap the file; look-ups fail afterwards."""
        self.file.close()

    @property
    def as_of(self) -> datetime:
        """Return the moment whose features the snapshot holds."""
        return self.about.as_of

    def look_up(self, keys: LookupKeys) -> LookupResult:
        """Return the base features of candidates; unknown keys get the level's defaults."""
        blocks: dict[tuple[str, ...], FloatArray] = {}
        found = {}
        with self.file.begin_read() as get:
            for level, described in self.about.levels.items():
                vectors, found[level] = self._read_vectors(get, level, keys.at_level(level))
                blocks[described.features] = vectors.T
        return LookupResult(columns=ColumnBlocks(blocks), found=found)

    def vectors(
        self, level: Level, keys: Iterable[tuple[str, ...]]
    ) -> tuple[FloatArray, BoolArray]:
        """Return the vectors of keys, shape (keys, features), and which of the keys have one."""
        with self.file.begin_read() as get:
            return self._read_vectors(get, level, [join_key_parts(key) for key in keys])

    def products(self, names: Iterable[str]) -> list[ProductFacts | None]:
        """Return the facts of each product, None for an unknown one."""
        return self._read_facts(_PRODUCT, PRODUCT_FACTS, names)

    def listings(self, names: Iterable[str | None]) -> list[ListingFacts | None]:
        """Return the facts of each listing, None for an unknown one or no name."""
        return self._read_facts(_LISTING, LISTING_FACTS, names)

    def only_listings(self, pairs: Iterable[tuple[str, str]]) -> list[str | None]:
        """Return the listing of each (product, market), None unless exactly one is live."""
        return self._read_facts(_NAME, ONLY_LISTING, map(join_key_parts, pairs))

    def _read_vectors(
        self, get: Get, level: Level, keys: Sequence[JoinedKey]
    ) -> tuple[FloatArray, BoolArray]:
        values = _read_values(get, level.value, keys)
        default = self._defaults[level]
        joined = b"".join([default if value is None else value for value in values])
        shape = len(values), len(self.about.levels[level].features)
        has_vector = np.array([value is not None for value in values], dtype=np.bool_)
        return np.frombuffer(joined, VECTOR_DTYPE).reshape(shape), has_vector

    def _read_facts(
        self, decoder: msgspec.json.Decoder[Any], kind: str, keys: Iterable[JoinedKey]
    ) -> list[Any]:
        with self.file.begin_read() as get:
            values = _read_values(get, kind, list(keys))
            return [None if value is None else decoder.decode(value) for value in values]


def _read_values(get: Get, kind: str, keys: Sequence[JoinedKey]) -> list[bytes | None]:
    """Return the value of each row, None for a missing key or row."""
    values = map(get, encode_keys(kind, [key for key in keys if key is not None]))
    if None not in keys:
        return list(values)
    return [None if key is None else next(values) for key in keys]
