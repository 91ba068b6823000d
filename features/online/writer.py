"""Writing an online snapshot: its vectors, its facts, and what it says about itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec

from features.online.contents import ListingFacts, SnapshotContents
from features.online.files import ABOUT, data_files, derive_id, describe_file
from features.online.hash_writer import write_levels
from features.online.key_bytes import (
    LISTING_FACTS,
    ONLY_LISTING,
    PRODUCT_FACTS,
    encode_keys,
    join_key_parts,
    sort_key,
)
from features.online.lmdb_file import write_keyed_file

BYTES_PER_FACT: Final = 4_096
"""No fact is longer than a page; the file only takes what is written."""


def write_snapshot(contents: SnapshotContents, directory: Path) -> str:
    """Write a snapshot into an empty or absent directory and return its id.

    The id is made of the content: equal contents give equal ids, whatever the order of their keys.
    """
    directory.mkdir(parents=True, exist_ok=True)
    write_keyed_file(directory, _sort_facts(contents), max_bytes=_max_bytes(contents))
    about = contents.about
    write_levels(directory, contents.levels, about.levels, seed=about.dataset_digest)
    files = {name: describe_file(directory / name) for name in data_files(contents.levels)}
    about = about.model_copy(update={"files": files})
    text = json.dumps(about.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"
    (directory / ABOUT).write_bytes(text.encode())
    return derive_id(text.encode())


def _sort_facts(contents: SnapshotContents) -> Iterator[tuple[bytes, bytes]]:
    """Yield every fact in the order of the keys; those of one kind are at hand at a time."""
    kinds: dict[str, Mapping[str, Any]] = {
        PRODUCT_FACTS: contents.products,
        LISTING_FACTS: contents.listings,
        ONLY_LISTING: _only_listings(contents.listings),
    }
    for kind in sorted(kinds, key=sort_key):
        facts = zip(encode_keys(kind, kinds[kind]), kinds[kind].values(), strict=True)
        for key, value in sorted(facts, key=itemgetter(0)):
            yield key, msgspec.json.encode(value)


def _only_listings(listings: Mapping[str, ListingFacts]) -> dict[str, str]:
    """Return the listing of each product and market that has just one live."""
    live = {name: facts for name, facts in listings.items() if facts.is_live}
    times = Counter((facts.product_id, facts.market) for facts in live.values())
    return {
        join_key_parts((facts.product_id, facts.market)): name
        for name, facts in live.items()
        if times[facts.product_id, facts.market] == 1
    }


def _max_bytes(contents: SnapshotContents) -> int:
    """Return what the file of facts can't exceed."""
    return BYTES_PER_FACT * (len(contents.products) + 2 * len(contents.listings))
