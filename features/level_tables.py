"""Vectors of keys in arrays over a mapped file: all that a request asks for is found at once.

A hash table that is written once. The CRC-32 of a key says its slot among those of its level,
`starts` where the slot's keys begin; a vector stands in its level's matrix where its key stands
among the level's keys. Nothing is done key by key but the hash: numpy waits for the memory of many
keys at a time, where a look-up key by key waits for one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from features.declarations import FloatArray
from features.keyed_file import KeyedFile
from features.level_layout import (
    HASH_BITS,
    INDEX,
    Places,
    Slots,
    Words,
    as_words,
    in_turn,
    slots_for,
)
from features.levels import Level
from features.snapshot import LevelAbout, SnapshotRefusedError
from features.snapshot_keys import Word, level_keys, part_key

BoolArray = npt.NDArray[np.bool_]
NOTHING: Final = np.zeros(0, "<u8")


@dataclass(frozen=True)
class _Vectors:
    """The matrix of a level in parts of equally many rows, the last one perhaps shorter.

    Its last row of all is the vector of an unknown key.
    """

    parts: Sequence[FloatArray]

    def take(self, places: Places) -> FloatArray:
        """Return the vectors at places, copied."""
        if len(self.parts) == 1:
            return self.parts[0].take(places, axis=0)
        rows = np.empty((places.size, self.parts[0].shape[1]))
        numbers, within = np.divmod(places, len(self.parts[0]))
        for number, part in enumerate(self.parts):
            mine = numbers == number
            rows[mine] = part.take(within[mine], axis=0)
        return rows


@dataclass(frozen=True)
class LevelTables:
    """The vectors of all levels, found by key; safe to share between threads."""

    file: KeyedFile
    """What keeps the arrays mapped."""
    starts: Slots
    """Shape (slots of all levels + 1,): where the keys of each slot begin, and where all end."""
    keys: Words
    """Shape (keys of all levels + 1, words of a key): the last one is no key's."""
    vectors: Mapping[Level, _Vectors]
    ranges: Mapping[Level, tuple[int, int, int, int]]
    """A level's first slot, the bits of a hash that aren't its slot, its first key, its keys."""

    @classmethod
    def of(cls, file: KeyedFile, levels: Mapping[Level, LevelAbout]) -> LevelTables:
        """Open the tables of a file.

        Raises:
            SnapshotRefusedError: the file holds others.
        """
        ranges = dict(_ranges(levels))
        slots = sum(slots_for(about.keys) for about in levels.values())
        starts, keys = _index(file, slots + 1, sum(about.keys for about in levels.values()) + 1)
        vectors = {level: _vectors(file, level, about) for level, about in levels.items()}
        return cls(file, starts, keys, vectors, ranges)

    def find(
        self, asked: Mapping[Level, Sequence[Word]]
    ) -> dict[Level, tuple[FloatArray, BoolArray]]:
        """Return by level the vectors of keys, shape (keys, features), and which have one."""
        counts = [len(words) for words in asked.values()]
        ranges = np.array([self.ranges[level] for level in asked], np.int64).repeat(counts, axis=0)
        words = list(chain.from_iterable(asked.values()))
        places, found = self._places(words, *ranges.T[:2])
        _, _, first, keys = ranges.T
        places = np.where(found, places - first, keys)
        answers = {}
        end = 0
        for level, length in zip(asked, counts, strict=True):
            start, end = end, end + length
            answers[level] = self.vectors[level].take(places[start:end]), found[start:end]
        return answers

    def _places(
        self, words: Sequence[Word], first_slots: Places, other_bits: Places
    ) -> tuple[Places, BoolArray]:
        """Return where each key stands among the keys of all levels, and whether it does."""
        is_there = np.array([word is not None for word in words]) if None in words else True
        keys = level_keys(["" if word is None else word for word in words])
        slots = (np.fromiter(map(crc32, keys), np.int64, len(keys)) >> other_bits) + first_slots
        rows = as_words(keys, self.keys.shape[1])
        places, ends = self.starts.take([slots, slots + 1]).astype(np.int64)
        found = self._same(places, rows) & (places < ends)
        for which, others in _others(places, ends, found):
            same = self._same(others, rows[which])
            places[which[same]] = others[same]
            found[which[same]] = True
        return places, found & is_there

    def _same(self, places: Places, rows: Words) -> BoolArray:
        equal: BoolArray = (self.keys.take(places, axis=0) == rows).all(axis=1)
        return equal


def _others(places: Places, ends: Places, found: BoolArray) -> Iterator[tuple[Places, Places]]:
    """Yield which keys weren't found so far and the next place in the slot of each."""
    left: Places
    (left,) = (~found & (places + 1 < ends)).nonzero()
    places, ends = places[left], ends[left]
    while left.size:
        places = places + 1
        yield left, places
        is_left = ~found[left] & (places + 1 < ends)
        left, places, ends = left[is_left], places[is_left], ends[is_left]


def _ranges(
    levels: Mapping[Level, LevelAbout],
) -> Iterator[tuple[Level, tuple[int, int, int, int]]]:
    slot = key = 0
    for level in in_turn(levels):
        about = levels[level]
        slots = slots_for(about.keys)
        yield level, (slot, HASH_BITS + 1 - slots.bit_length(), key, about.keys)
        slot += slots
        key += about.keys


def _index(file: KeyedFile, slots: int, keys: int) -> tuple[Slots, Words]:
    """Return the slots' starts and the keys."""
    starts, rows, *_ = *file.words(part_key(INDEX, n) for n in count()), NOTHING, NOTHING
    if starts.size != -(-slots // 2) or not rows.size or rows.size % keys:
        found = f"{starts.size} and {rows.size} words"
        raise _refusal(file, f"{slots} slots and {keys} keys", found)
    return starts.view("<u4")[:slots], rows.reshape(keys, -1)


def _vectors(file: KeyedFile, level: Level, about: LevelAbout) -> _Vectors:
    """Return the matrix of a level."""
    columns = len(about.features)
    parts = file.words(part_key(level.value, number) for number in count())
    size = sum(part.size for part in parts)
    if size != (about.keys + 1) * columns or any(part.size % columns for part in parts):
        expected = f"{about.keys} vectors of {columns} features for {level.value}"
        raise _refusal(file, expected, f"{size} values")
    return _Vectors([part.view("<f8").reshape(-1, columns) for part in parts])


def _refusal(file: KeyedFile, expected: str, found: str) -> SnapshotRefusedError:
    return SnapshotRefusedError(file.directory, expected=expected, found=found)
