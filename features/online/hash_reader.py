"""Vectors of keys in mapped arrays: all that a request asks for is found at once.

A hash table that is written once. The hash of a key says its slot among those of its level,
`starts` where the slot's keys begin; a vector stands in its level's array where its key stands
among the level's keys. So numpy waits for the memory of many keys at a time, where a look-up key
by key waits for one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from features.declarations.levels import Level
from features.online.array_file import map_array
from features.online.contents import LevelAbout
from features.online.hash_writer import (
    KEYS,
    STARTS,
    Places,
    Starts,
    Words,
    as_words,
    count_slots,
    hash_keys,
    hash_shift,
    multipliers,
    order_levels,
    vectors_file,
)
from features.online.key_bytes import Word, encode_level_keys
from features.runtime.arrays import BoolArray, FloatArray


class _Range(NamedTuple):
    """Where the slots and keys of a level stand among those of all."""

    first_slot: int
    hash_shift: int
    first_key: int
    keys: int


@dataclass(frozen=True)
class LevelTables:
    """The vectors of all levels, found by key; safe to share between threads."""

    starts: Starts
    """Shape (slots of all levels + 1,): where the keys of each slot begin, and where all end."""
    keys: Words
    """Shape (keys of all levels + 1, words of a key): the last one is no key's."""
    vectors: Mapping[Level, FloatArray]
    """Shape (keys + 1, features): the last vector is that of an unknown key."""
    ranges: Mapping[Level, _Range]
    numbers: Words
    """What the hash of a key is made with."""

    @classmethod
    def from_directory(
        cls, directory: Path, levels: Mapping[Level, LevelAbout], *, seed: str
    ) -> LevelTables:
        """Map the files of a directory that were written with a seed.

        Raises:
            SnapshotRefusedError: one of them holds an array of another shape.
        """
        ranges = dict(_ranges(levels))
        keys = sum(about.keys for about in levels.values())
        slots = sum(count_slots(about.keys) for about in levels.values())
        vectors = {
            level: map_array(
                directory / vectors_file(level), "<f8", (about.keys + 1, len(about.features))
            )
            for level, about in levels.items()
        }
        starts = map_array(directory / STARTS, "<u4", (slots + 1,))
        rows = map_array(directory / KEYS, "<u8", (keys + 1, None))
        return cls(starts, rows, vectors, ranges, multipliers(seed, rows.shape[1]))

    def find(
        self, asked: Mapping[Level, Sequence[Word]]
    ) -> dict[Level, tuple[FloatArray, BoolArray]]:
        """Return by level the vectors of keys, shape (keys, features), and which have one."""
        counts = [len(words) for words in asked.values()]
        ranges = np.array([self.ranges[level] for level in asked], np.int64).repeat(counts, axis=0)
        first_slot, other, first_key, keys = ranges.T
        words = list(chain.from_iterable(asked.values()))
        places, found = self._places(words, first_slot, other)
        places = np.where(found, places - first_key, keys)
        answers = {}
        end = 0
        for level, length in zip(asked, counts, strict=True):
            start, end = end, end + length
            vectors = self.vectors[level].take(places[start:end], axis=0)
            answers[level] = vectors, found[start:end]
        return answers

    def _places(
        self, words: Sequence[Word], first_slot: Places, other: Places
    ) -> tuple[Places, BoolArray]:
        """Return where each key stands among the keys of all levels, and whether it does."""
        is_there = np.array([word is not None for word in words]) if None in words else True
        keys = encode_level_keys(["" if word is None else word for word in words])
        rows = as_words(keys, self.keys.shape[1])
        slots = (hash_keys(rows, self.numbers) >> other) + first_slot
        places, ends = self.starts.take([slots, slots + 1]).astype(np.int64)
        found = self._same(places, rows) & (places < ends)
        for which, others in _next_places(places, ends, found):
            same = self._same(others, rows[which])
            places[which[same]] = others[same]
            found[which[same]] = True
        return places, found & is_there

    def _same(self, places: Places, rows: Words) -> BoolArray:
        equal: BoolArray = (self.keys.take(places, axis=0) == rows).all(axis=1)
        return equal


def _next_places(places: Places, ends: Places, found: BoolArray) -> Iterator[tuple[Places, Places]]:
    """Yield which keys weren't found so far and the next place in the slot of each.

    Whoever looks there marks in `found` what was found, before going on.
    """
    left: Places
    (left,) = (~found & (places + 1 < ends)).nonzero()
    places, ends = places[left], ends[left]
    while left.size:
        places = places + 1
        yield left, places
        is_left = ~found[left] & (places + 1 < ends)
        left, places, ends = left[is_left], places[is_left], ends[is_left]


def _ranges(levels: Mapping[Level, LevelAbout]) -> Iterator[tuple[Level, _Range]]:
    slot = key = 0
    for level in order_levels(levels):
        keys = levels[level].keys
        slots = count_slots(keys)
        yield level, _Range(slot, hash_shift(slots), key, keys)
        slot += slots
        key += keys
