"""Keys and vectors of all levels as the arrays of `LevelTables`, to be written once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np

from features.declarations import FloatArray
from features.level_layout import (
    HASH_BITS,
    NO_KEY,
    WORD_BYTES,
    Places,
    Slots,
    Words,
    as_words,
    in_turn,
    slots_for,
)
from features.levels import Level
from features.snapshot import LevelAbout, LevelVectors
from features.snapshot_keys import level_keys, word_of

PART_BYTES: Final = 1 << 28
"""LMDB takes no value of 4 GiB, and a part is in memory twice while it is written."""


@dataclass(frozen=True)
class Packing:
    """The slots and keys of all levels, and in which order each level's vectors go with them."""

    starts: Slots
    """Shape (slots + 1,), padded to an even number."""
    keys: Words
    """Shape (keys + 1, words of a key)."""
    orders: Mapping[Level, Places]


def packed(levels: Mapping[Level, LevelVectors]) -> Packing:
    """Arrange the keys of levels: by slot and, within one, by their bytes.

    Equal keys give equal bytes, whatever their order.
    """
    keys = {level: level_keys(map(word_of, levels[level].keys)) for level in in_turn(levels)}
    longest = max((len(key) for of_level in keys.values() for key in of_level), default=1)
    starts, rows, orders = [], [], {}
    before = 0
    for level, of_level in keys.items():
        slots = slots_for(len(of_level))
        hashes = np.fromiter(map(crc32, of_level), np.int64, len(of_level))
        of_keys = hashes >> (HASH_BITS + 1 - slots.bit_length())
        words = as_words(of_level, -(-longest // WORD_BYTES))
        orders[level] = np.lexsort((*words.T, of_keys))
        rows.append(words[orders[level]])
        starts.append(before + np.searchsorted(of_keys[orders[level]], np.arange(slots)))
        before += len(of_level)
    padding = 2 - sum(map(len, starts)) % 2
    starts.append(np.full(padding, before))
    rows.append(np.full((1, rows[0].shape[1]), NO_KEY, "<u8"))
    return Packing(np.concatenate(starts).astype("<u4"), np.concatenate(rows), orders)


def packed_vectors(
    vectors: FloatArray, order: Places, about: LevelAbout, *, part_bytes: int = PART_BYTES
) -> Iterator[FloatArray]:
    """Yield a level's vectors in an order, in parts; the last row is that of an unknown key."""
    default = np.array([about.defaults], np.float64)
    most = max(part_bytes // default.nbytes, 1)
    for first in range(0, len(order) + 1, most):
        part = vectors[order[first : first + most]]
        is_last = first + most > len(order)
        yield np.concatenate([part, default] if is_last else [part]).astype("<f8", copy=False)
