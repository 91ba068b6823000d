"""Write an online snapshot: its vectors and facts in one sorted file, and its description."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from features.declarations.levels import Level
from features.online.contents import (
    LevelAbout,
    LevelVectors,
    ListingFacts,
    SnapshotContents,
    StoredAbout,
)
from features.online.files import ABOUT, derive_id, describe_file
from features.online.key_bytes import (
    LISTING_FACTS,
    ONLY_LISTING,
    PRODUCT_FACTS,
    VECTOR_DTYPE,
    encode_keys,
    join_key_parts,
)
from features.online.lmdb_file import DATA, write_keyed_file

Row = tuple[bytes, bytes]
"""A key and its value."""
PAGE_BYTES: Final = 4_096
"""No key with its facts is longer; the file only takes what is written."""


def write_snapshot(contents: SnapshotContents, directory: Path) -> str:
    """Write a snapshot into an empty or absent directory and return its id.

    The id depends on the content only: equal contents in any order give equal ids.

    Raises:
        ValueError: a key occurs twice, or a level has other keys or features than described.
    """
    directory.mkdir(parents=True, exist_ok=True)
    write_keyed_file(directory, _sort_rows(contents), max_bytes=_max_bytes(contents))
    about = StoredAbout(**contents.about.model_dump(), data=describe_file(directory / DATA))
    text = json.dumps(about.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"
    (directory / ABOUT).write_bytes(text.encode())
    return derive_id(text.encode())


def _sort_rows(contents: SnapshotContents) -> Iterator[Row]:
    """Yield all rows in the order of their keys."""
    facts = {
        PRODUCT_FACTS: contents.products,
        LISTING_FACTS: contents.listings,
        ONLY_LISTING: _only_listings(contents.listings),
    }
    vectors = (
        _vector_rows(level, of_level, contents.about.levels[level])
        for level, of_level in contents.levels.items()
    )
    return merge(*(_fact_rows(*item) for item in facts.items()), *vectors, key=itemgetter(0))


def _fact_rows(kind: str, facts: Mapping[str, Any]) -> Iterator[Row]:
    rows = zip(encode_keys(kind, facts), facts.values(), strict=True)
    for key, value in sorted(rows, key=itemgetter(0)):
        yield key, msgspec.json.encode(value)


def _vector_rows(level: Level, vectors: LevelVectors, about: LevelAbout) -> Iterator[Row]:
    keys = encode_keys(level.value, map(join_key_parts, vectors.keys))
    values = np.asarray(vectors.values, dtype=VECTOR_DTYPE)
    described = about.keys, len(about.features)
    if values.shape != described or len(keys) != about.keys:
        raise ValueError(f"expected vectors of shape {described}, found {values.shape}")
    for row in sorted(range(len(keys)), key=keys.__getitem__):
        yield keys[row], values[row].tobytes()


def _only_listings(listings: Mapping[str, ListingFacts]) -> dict[str, str]:
    """Return the listing of each product and market that has exactly one live listing."""
    live = {name: facts for name, facts in listings.items() if facts.is_live}
    counts = Counter((facts.product_id, facts.market) for facts in live.values())
    return {
        join_key_parts((facts.product_id, facts.market)): name
        for name, facts in live.items()
        if counts[facts.product_id, facts.market] == 1
    }


def _max_bytes(contents: SnapshotContents) -> int:
    """Return a size that the file can't exceed."""
    facts = PAGE_BYTES * (len(contents.products) + 2 * len(contents.listings))
    vectors = sum(
        PAGE_BYTES * len(level.keys) + 2 * level.values.nbytes for level in contents.levels.values()
    )
    return facts + vectors
