"""Writing an online snapshot: its file of vectors and facts, and what it says about itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy.typing as npt

from features.keyed_file import DATA, Value, write_keyed_file
from features.level_layout import INDEX
from features.level_packing import packed, packed_vectors
from features.snapshot import ListingFacts, SnapshotContents
from features.snapshot_files import ABOUT, digest_of, id_of
from features.snapshot_keys import (
    LISTING_FACTS,
    ONLY_LISTING,
    PRODUCT_FACTS,
    keys_bytes,
    part_key,
    rank,
    word_of,
)

BYTES_PER_VECTOR: Final = 200
"""Room for a vector's key and its slots."""
BYTES_PER_LEVEL: Final = 1 << 16
"""Room for what LMDB rounds up."""
BYTES_PER_FACT: Final = 4_096
"""No fact is longer than a page; the file only takes what is written."""


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


def _all_rows(contents: SnapshotContents) -> Iterator[tuple[bytes, Value]]:
    """Yield every row in the order of the keys; what is of one kind is at hand at a time."""
    packing = packed({level: contents.levels[level] for level in contents.about.levels})
    kinds = {INDEX: _parts(INDEX, (packing.starts, packing.keys))}
    for level, about in contents.about.levels.items():
        vectors = packed_vectors(contents.levels[level].values, packing.orders[level], about)
        kinds[level.value] = _parts(level.value, vectors)
    only = _only_listings(contents.listings)
    kinds[PRODUCT_FACTS] = _facts(PRODUCT_FACTS, contents.products)
    kinds[LISTING_FACTS] = _facts(LISTING_FACTS, contents.listings)
    kinds[ONLY_LISTING] = _facts(ONLY_LISTING, only)
    for kind in sorted(kinds, key=rank):
        yield from kinds[kind]


def _parts(kind: str, parts: Iterable[npt.NDArray[Any]]) -> Iterator[tuple[bytes, Value]]:
    for number, part in enumerate(parts):
        yield part_key(kind, number), part.data.cast("B")


def _facts(kind: str, facts: Mapping[str, Any]) -> Iterator[tuple[bytes, Value]]:
    keys = zip(keys_bytes(kind, facts), facts.values(), strict=True)
    for key, value in sorted(keys, key=itemgetter(0)):
        yield key, msgspec.json.encode(value)


def _only_listings(listings: Mapping[str, ListingFacts]) -> dict[str, str]:
    """Return the listing of each product and market that has just one live."""
    live = {name: facts for name, facts in listings.items() if facts.is_live}
    times = Counter((facts.product_id, facts.market) for facts in live.values())
    return {
        word_of((facts.product_id, facts.market)): name
        for name, facts in live.items()
        if times[facts.product_id, facts.market] == 1
    }


def _most_bytes(contents: SnapshotContents) -> int:
    """Return what the file can't exceed: a page may stay half empty, or hold one fact alone."""
    vectors = sum(
        BYTES_PER_LEVEL + one.values.nbytes + BYTES_PER_VECTOR * len(one.keys)
        for one in contents.levels.values()
    )
    facts = len(contents.products) + 2 * len(contents.listings)
    return vectors + BYTES_PER_FACT * facts
