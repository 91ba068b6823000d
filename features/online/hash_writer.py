"""How the keys and vectors of all levels lie in arrays, for who writes and who finds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from features.declarations.levels import Level
from features.online.array_file import write_array
from features.online.contents import LevelAbout, LevelVectors
from features.online.key_bytes import encode_level_keys, join_key_parts
from features.runtime.arrays import FloatArray

Words = npt.NDArray[np.uint64]
Starts = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]

STARTS: Final = "starts.npy"
KEYS: Final = "keys.npy"
NO_KEY: Final = 0xFFFF_FFFF_FFFF_FFFF
"""What no key's bytes are: UTF-8 has no 0xFF."""
WORD_BYTES: Final = 8
_HASH_BITS: Final = 32
_SLOTS_PER_KEY: Final = 4
"""At least so many, for most keys to be alone in their slot."""


def vectors_file(level: Level) -> str:
    """Return the name of the file of a level's vectors."""
    return f"{level.value}.npy"


def order_levels(levels: Iterable[Level]) -> list[Level]:
    """Return levels in the order in which their slots and keys follow each other."""
    given = set(levels)
    return [level for level in Level if level in given]


def count_slots(keys: int) -> int:
    """Return how many slots a level with so many keys has, a power of two from 2 on."""
    return 1 << min((_SLOTS_PER_KEY * keys + 1).bit_length(), _HASH_BITS)


def hash_shift(slots: int) -> int:
    """Return how many last bits of a hash don't tell its slot out of so many."""
    return _HASH_BITS + 1 - slots.bit_length()


def multipliers(seed: str, words: int) -> Words:
    """Return the numbers that make the hash of keys of so many words, shape (2 words + 1,).

    Whoever doesn't know the seed can't make two keys share a slot more often than by chance.
    """
    drawn = hashlib.shake_256(seed.encode()).digest((2 * words + 1) * WORD_BYTES)
    return np.frombuffer(drawn, "<u8")


def hash_keys(rows: Words, numbers: Words) -> Places:
    """Return the hash of each key, 32 bits of it.

    The multilinear hash of Lemire and Kaser 2013, "Strongly universal string hashing is fast".
    """
    sums: Words = rows.view("<u4") @ numbers[1:] + numbers[0]
    return (sums >> _HASH_BITS).astype(np.int64)


def as_words(keys: Sequence[bytes], words: int) -> Words:
    """Return keys as rows of so many words, zeros behind them; longer ones are zeros alone."""
    most = words * WORD_BYTES
    if max(map(len, keys), default=0) > most:
        keys = [key if len(key) <= most else b"" for key in keys]
    return np.array(keys, f"S{most}").view("<u8").reshape(len(keys), words)


BLOCK_ROWS: Final = 20_000
"""Vectors on their way to the file at a time."""


def write_levels(
    directory: Path,
    levels: Mapping[Level, LevelVectors],
    abouts: Mapping[Level, LevelAbout],
    *,
    seed: str,
) -> None:
    """Write the vectors of all levels into a directory.

    Equal vectors and seeds give equal bytes, whatever the order of the keys.

    Raises:
        ValueError: a key is there twice, or a level has other keys or features than said.
    """
    keys = {
        level: encode_level_keys(map(join_key_parts, levels[level].keys))
        for level in order_levels(levels)
    }
    longest = max((len(key) for of_level in keys.values() for key in of_level), default=1)
    words = -(-longest // WORD_BYTES)
    numbers = multipliers(seed, words)
    starts, rows, before = [], [], 0
    for level, of_level in keys.items():
        begin, in_order, order = _arrange(as_words(of_level, words), numbers)
        _write_vectors(directory / vectors_file(level), levels[level].values, order, abouts[level])
        starts.append(before + begin)
        rows.append(in_order)
        before += len(of_level)
    starts.append(np.array([before], "<u4"))
    rows.append(np.full((1, words), NO_KEY, "<u8"))
    write_array(directory / STARTS, "<u4", (sum(map(len, starts)),), starts)
    write_array(directory / KEYS, "<u8", (before + 1, words), rows)


def _arrange(rows: Words, numbers: Words) -> tuple[Starts, Words, Places]:
    """Return where the slots of a level begin, its keys slot by slot, and their order."""
    slots = count_slots(len(rows))
    of_keys = hash_keys(rows, numbers) >> hash_shift(slots)
    order = np.lexsort((*rows.T, of_keys))
    rows = rows[order]
    if (rows[1:] == rows[:-1]).all(axis=1).any():
        raise ValueError("a key is there twice")
    starts = np.searchsorted(of_keys[order], np.arange(slots)).astype("<u4")
    return starts, rows, order


def _write_vectors(path: Path, vectors: FloatArray, order: Places, about: LevelAbout) -> None:
    """Write a level's vectors and, as the last row, that of an unknown key."""
    blocks = (vectors[order[at : at + BLOCK_ROWS]] for at in range(0, len(order), BLOCK_ROWS))
    default = np.array([about.defaults], np.float64)
    write_array(path, "<f8", (about.keys + 1, len(about.features)), chain(blocks, [default]))
