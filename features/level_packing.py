"""Keys and vectors of all levels as the files of `LevelTables`, written once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from features.array_file import write_array
from features.arrays import FloatArray
from features.level_layout import (
    KEYS,
    NO_KEY,
    STARTS,
    WORD_BYTES,
    Places,
    Starts,
    Words,
    as_words,
    hashes_of,
    in_turn,
    multipliers,
    other_bits,
    slots_for,
    vectors_file,
)
from features.levels import Level
from features.snapshot import LevelAbout, LevelVectors
from features.snapshot_keys import level_keys, word_of

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
    keys = {level: level_keys(map(word_of, levels[level].keys)) for level in in_turn(levels)}
    longest = max((len(key) for of_level in keys.values() for key in of_level), default=1)
    words = -(-longest // WORD_BYTES)
    numbers = multipliers(seed, words)
    starts, rows, before = [], [], 0
    for level, of_level in keys.items():
        begin, in_order, order = _arranged(as_words(of_level, words), numbers)
        _write_vectors(directory / vectors_file(level), levels[level].values, order, abouts[level])
        starts.append(before + begin)
        rows.append(in_order)
        before += len(of_level)
    starts.append(np.array([before], "<u4"))
    rows.append(np.full((1, words), NO_KEY, "<u8"))
    write_array(directory / STARTS, "<u4", (sum(map(len, starts)),), starts)
    write_array(directory / KEYS, "<u8", (before + 1, words), rows)


def _arranged(rows: Words, numbers: Words) -> tuple[Starts, Words, Places]:
    """Return where the slots of a level begin, its keys slot by slot, and their order."""
    slots = slots_for(len(rows))
    of_keys = hashes_of(rows, numbers) >> other_bits(slots)
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
