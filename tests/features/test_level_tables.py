"""Finding many keys at once, beside a dict: whatever the keys, their slots and their parts."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.keyed_file import KeyedFile, write_keyed_file
from features.level_layout import HASH_BITS, INDEX, slots_for
from features.level_packing import PART_BYTES, packed, packed_vectors
from features.level_tables import LevelTables
from features.levels import Level
from features.snapshot import LevelAbout, LevelVectors, SnapshotRefusedError
from features.snapshot_keys import Word, level_keys, part_key, rank

WORDS = st.text(st.sampled_from("ab\0\n\x1e\x1f\xffé") | st.characters(codec="utf-8"), max_size=40)
LONG = st.builds(lambda word, times: word * times, WORDS, st.integers(1, 40))
KEYS = st.lists(WORDS | LONG, unique=True, max_size=30)

Model = Mapping[Level, Mapping[str, list[float]]]


def abouts(model: Model) -> dict[Level, LevelAbout]:
    return {
        level: LevelAbout(features=("a", "b"), defaults=(None, 0.0), keys=len(one))
        for level, one in model.items()
    }


def write(model: Model, directory: Path, part_bytes: int = PART_BYTES) -> None:
    levels = {
        level: LevelVectors([(word,) for word in one], np.reshape([*one.values()], (-1, 2)))
        for level, one in model.items()
    }
    packing = packed(levels)
    kinds: dict[str, Iterable[npt.NDArray[Any]]] = {INDEX: [packing.starts, packing.keys]}
    for level, about in abouts(model).items():
        values = levels[level].values
        order = packing.orders[level]
        kinds[level.value] = packed_vectors(values, order, about, part_bytes=part_bytes)
    write_keyed_file(directory, _rows(kinds), most_bytes=1 << 20)


def _rows(kinds: Mapping[str, Iterable[npt.NDArray[Any]]]) -> Iterator[tuple[bytes, memoryview]]:
    for kind in sorted(kinds, key=rank):
        for number, part in enumerate(kinds[kind]):
            yield part_key(kind, number), part.data.cast("B")


def model_of(words: Sequence[Sequence[str]]) -> Model:
    return {
        level: {word: [float(place), float(len(word))] for place, word in enumerate(of_level)}
        for level, of_level in zip(Level, words, strict=False)
    }


def expected(model: Model, asked: Mapping[Level, Sequence[Word]]) -> dict[Level, list[list[str]]]:
    """Return the bits of each key's vector by a look-up in a dict."""
    default = [float("nan"), 0.0]
    return {
        level: [
            [
                value.hex()
                for value in (default if word is None else model[level].get(word, default))
            ]
            for word in words
        ]
        for level, words in asked.items()
    }


@given(
    words=st.lists(KEYS, min_size=1, max_size=3),
    others=st.lists(WORDS | LONG | st.none(), max_size=20),
    part_bytes=st.sampled_from([1, 48, PART_BYTES]),
)
def test_keys_of_any_kind_are_found_as_in_a_dict(
    words: list[list[str]], others: list[Word], part_bytes: int
) -> None:
    model = model_of(words)
    asked: dict[Level, list[Word]] = {level: [*others, *one, *one] for level, one in model.items()}
    with tempfile.TemporaryDirectory() as directory:
        write(model, Path(directory), part_bytes)
        found = LevelTables.of(KeyedFile.open(Path(directory)), abouts(model)).find(asked)
    assert expected(model, asked) == {
        level: [[value.hex() for value in row] for row in vectors.tolist()]
        for level, (vectors, _) in found.items()
    }
    assert {level: known.tolist() for level, (_, known) in found.items()} == {
        level: [word in model[level] for word in words] for level, words in asked.items()
    }


def collisions(keys: int) -> list[str]:
    """Return words that all fall into one slot of a level with so many keys."""
    shift = HASH_BITS + 1 - slots_for(keys).bit_length()
    names = [f"P{number}" for number in range(100_000)]
    slots = [crc32(key) >> shift for key in level_keys(names)]
    in_one = [name for name, slot in zip(names, slots, strict=True) if slot == slots[0]]
    return in_one[: keys + 1]


@pytest.mark.parametrize("keys", [1, 2, 50])
def test_keys_of_one_slot_are_told_apart(keys: int, tmp_path: Path) -> None:
    *known, unknown = collisions(keys)
    assert len(known) == keys
    model = model_of([known])
    write(model, tmp_path)
    tables = LevelTables.of(KeyedFile.open(tmp_path), abouts(model))
    vectors, found = tables.find({Level.LISTING: [unknown, *known]})[Level.LISTING]
    assert vectors[1:, 0].tolist() == list(range(keys))
    assert found.tolist() == [False] + [True] * keys


def test_arrays_stay_mapped_as_long_as_a_table_is_held(tmp_path: Path) -> None:
    model = model_of([["a", "b"]])
    write(model, tmp_path)
    tables = LevelTables.of(KeyedFile.open(tmp_path), abouts(model))
    gc.collect()
    vectors, _ = tables.find({Level.LISTING: ["b"]})[Level.LISTING]
    del tables
    gc.collect()
    assert vectors.tolist() == [[1.0, 1.0]]


def test_file_without_tables_is_refused(tmp_path: Path) -> None:
    write_keyed_file(tmp_path, [(b"nothing", b"in it")], most_bytes=1 << 20)
    with pytest.raises(SnapshotRefusedError, match="Expected 17 slots and 3 keys; found 0 and 0"):
        LevelTables.of(KeyedFile.open(tmp_path), abouts(model_of([["a", "b"]])))
