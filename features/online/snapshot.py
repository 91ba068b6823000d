"""The online snapshot: every live key's base features at one moment, looked up in a shared file.

A snapshot is a directory: arrays of vectors (features/online/hash_reader.py) and facts of products
and listings in an LMDB file, memory-mapped and shared by all processes that read them, and
`snapshot.json`, which says what they mean. It never changes once written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from features.declarations.column_blocks import ColumnBlocks
from features.declarations.levels import LEVEL_KEYS, Level
from features.online.contents import ListingFacts, ProductFacts, SnapshotAbout
from features.online.files import read_about
from features.online.hash_reader import LevelTables
from features.online.key_bytes import (
    LISTING_FACTS,
    ONLY_LISTING,
    PRODUCT_FACTS,
    Word,
    encode_keys,
    join_key_parts,
    join_pairs,
)
from features.online.lmdb_file import Get, KeyedFile
from features.runtime.arrays import BoolArray, FloatArray

_PRODUCT: Final = msgspec.json.Decoder(ProductFacts)
_LISTING: Final = msgspec.json.Decoder(ListingFacts)
_NAME: Final = msgspec.json.Decoder(str)


@dataclass(frozen=True)
class LookupKeys:
    """The keys of candidates, one entry a candidate; None where there is none."""

    listing_id: Sequence[str | None]
    product_id: Sequence[str | None]
    supplier_id: Sequence[str | None]
    creator_id: Sequence[str | None]
    category: Sequence[str | None]
    market: Sequence[str | None]

    def at_level(self, level: Level) -> Sequence[Word]:
        """Return the key of each candidate at a level."""
        parts: list[Sequence[Word]] = [getattr(self, name) for name in LEVEL_KEYS[level]]
        if len(parts) == 1:
            return parts[0]
        return join_pairs(*parts)


@dataclass(frozen=True)
class LookupResult:
    """Base features by name, those of a level in one stack, and which keys had a vector."""

    columns: ColumnBlocks
    found: Mapping[Level, BoolArray]


class OnlineSnapshot:
    """A snapshot open for reading: immutable, safe to share between threads.

    Open it after forking: its file can't be carried across a fork.
    """

    def __init__(
        self, about: SnapshotAbout, snapshot_id: str, *, tables: LevelTables, file: KeyedFile
    ) -> None:
        self.about = about
        self.snapshot_id = snapshot_id
        self.categories = frozenset(about.categories)
        self.file = file
        self._tables: LevelTables | None = tables

    @classmethod
    def open(cls, directory: Path) -> OnlineSnapshot:
        """Open a snapshot directory without reading its data.

        `verify_snapshot` is what proves the data unchanged.

        Raises:
            SnapshotRefusedError: files are missing, of another format or of another size.
        """
        about, snapshot_id = read_about(directory)
        tables = LevelTables.from_directory(directory, about.levels, seed=about.dataset_digest)
        return cls(about, snapshot_id, tables=tables, file=KeyedFile.open(directory))

    def close(self) -> None:
        """Let go of the files; look-ups fail afterwards."""
        self._tables = None
        self.file.close()

    @property
    def tables(self) -> LevelTables:
        """Return the tables of vectors; a `ValueError` after `close`."""
        if self._tables is None:
            raise ValueError("the snapshot was closed")
        return self._tables

    @property
    def as_of(self) -> datetime:
        """Return the moment for which the features hold."""
        return self.about.as_of

    def look_up(self, keys: LookupKeys) -> LookupResult:
        """Return the base features of candidates; unknown keys get the level's defaults."""
        answers = self.tables.find({level: keys.at_level(level) for level in self.about.levels})
        stacks = {self.about.levels[level].features: one[0].T for level, one in answers.items()}
        found = {level: one[1] for level, one in answers.items()}
        return LookupResult(columns=ColumnBlocks(stacks), found=found)

    def vectors(
        self, level: Level, keys: Iterable[tuple[str, ...]]
    ) -> tuple[FloatArray, BoolArray]:
        """Return the vectors of keys, shape (keys, features), and which of the keys have one."""
        return self.tables.find({level: [join_key_parts(key) for key in keys]})[level]

    def products(self, names: Iterable[str]) -> list[ProductFacts | None]:
        """Return what is known of each product, None of an unknown one."""
        return self._facts(_PRODUCT, PRODUCT_FACTS, names)

    def listings(self, names: Iterable[str | None]) -> list[ListingFacts | None]:
        """Return what each listing is of, None of an unknown one or where none is named."""
        return self._facts(_LISTING, LISTING_FACTS, names)

    def only_listings(self, pairs: Iterable[tuple[str, str]]) -> list[str | None]:
        """Return the listing of each product in a market where there is just one."""
        return self._facts(_NAME, ONLY_LISTING, map(join_key_parts, pairs))

    def _facts(
        self, decoder: msgspec.json.Decoder[Any], kind: str, names: Iterable[Word]
    ) -> list[Any]:
        with self.file.begin_read() as get:
            values = _values(get, kind, names)
            return [None if value is None else decoder.decode(value) for value in values]


def _values(get: Get, kind: str, keys: Iterable[Word]) -> list[bytes | None]:
    """Return the bytes of each row, None where there is none."""
    asked = list(keys)
    found = map(get, encode_keys(kind, [key for key in asked if key is not None]))
    return [None if key is None else next(found) for key in asked] if None in asked else [*found]
