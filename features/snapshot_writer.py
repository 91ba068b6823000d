"""Writing an online snapshot: its file of vectors and facts, and what it says about itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from features.keyed_file import DATA, write_keyed_file
from features.snapshot import LevelVectors, ListingFacts, SnapshotContents
from features.snapshot_files import ABOUT, digest_of, id_of
from features.snapshot_keys import (
    LISTING_FACTS,
    ONLY_LISTING,
    PRODUCT_FACTS,
    keys_bytes,
    rank,
    word_of,
)

BYTES_PER_VECTOR: Final = 600
"""Room for a vector's key and LMDB's page and node beside it."""
BYTES_PER_FACT: Final = 4_096
"""No fact is longer than a page; the file only takes what is written."""


@dataclass(frozen=True)
class _Rows:
    """Rows of one kind: their keys, and what gives the bytes of the row at a place."""

    kind: str
    keys: Sequence[tuple[str, ...]]
    value: Callable[[int], bytes]

    def sorted(self) -> Iterator[tuple[bytes, bytes]]:
        keys = keys_bytes(self.kind, map(word_of, self.keys))
        for place in sorted(range(len(keys)), key=keys.__getitem__):
            yield keys[place], self.value(place)


def write_snapshot(contents: SnapshotContents, directory: Path) -> str:
    """Write a snapshot into an empty or absent directory and return its id.

    The id is made of the content: equal contents give equal ids, whatever the order of their keys.
    """
    directory.mkdir(parents=True, exist_ok=True)
    write_keyed_file(directory, _all_rows(contents), most_bytes=_most_bytes(contents))
    data = directory / DATA
    about = contents.about.model_copy(
        update={"data_bytes": data.stat().st_size, "data_sha256": digest_of(data)}
    )
    text = json.dumps(about.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"
    (directory / ABOUT).write_text(text, encoding="utf-8")
    return id_of(text)


def _all_rows(contents: SnapshotContents) -> Iterator[tuple[bytes, bytes]]:
    """Yield every row in the order of the keys; the keys of one kind are at hand at a time."""
    kinds = [_vectors(level.value, vectors) for level, vectors in contents.levels.items()]
    only = _only_listings(contents.listings)
    kinds.append(_facts(PRODUCT_FACTS, {(name,): one for name, one in contents.products.items()}))
    kinds.append(_facts(LISTING_FACTS, {(name,): one for name, one in contents.listings.items()}))
    kinds.append(_facts(ONLY_LISTING, only))
    for rows in sorted(kinds, key=lambda rows: rank(rows.kind)):
        yield from rows.sorted()


def _vectors(kind: str, vectors: LevelVectors) -> _Rows:
    values = np.ascontiguousarray(vectors.values, dtype="<f8")
    return _Rows(kind, vectors.keys, lambda place: values[place].tobytes())


def _facts(kind: str, facts: Mapping[tuple[str, ...], Any]) -> _Rows:
    values = list(facts.values())
    return _Rows(kind, list(facts), lambda place: msgspec.json.encode(values[place]))


def _only_listings(listings: Mapping[str, ListingFacts]) -> dict[tuple[str, ...], str]:
    """Return the listing of each product and market that has just one live."""
    live = {name: facts for name, facts in listings.items() if facts.is_live}
    times = Counter((facts.product_id, facts.market) for facts in live.values())
    return {
        (facts.product_id, facts.market): name
        for name, facts in live.items()
        if times[facts.product_id, facts.market] == 1
    }


def _most_bytes(contents: SnapshotContents) -> int:
    """Return what the file can't exceed: a page may stay half empty, or hold one fact alone."""
    vectors = sum(
        2 * (one.values.nbytes + BYTES_PER_VECTOR * len(one.keys))
        for one in contents.levels.values()
    )
    facts = len(contents.products) + 2 * len(contents.listings)
    return vectors + BYTES_PER_FACT * facts
