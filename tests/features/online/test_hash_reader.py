"""Finding many keys at once, beside a dict, whatever the keys and their slots."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.declarations.levels import Level
from features.online.contents import LevelAbout, LevelVectors, SnapshotRefusedError
from features.online.hash_reader import LevelTables
from features.online.hash_writer import (
    as_words,
    count_slots,
    hash_keys,
    hash_shift,
    multipliers,
    write_levels,
)
from features.online.key_bytes import Word, encode_level_keys

WORDS = st.text(st.sampled_from("ab\0\n\x1e\x1f\xffé") | st.characters(codec="utf-8"), max_size=40)
LONG = st.builds(lambda word, times: word * times, WORDS, st.integers(1, 40))
KEYS = st.lists(WORDS | LONG, unique=True, max_size=30)

SEED = "a data set's digest"

Model = Mapping[Level, Mapping[str, list[float]]]


def abouts(model: Model) -> dict[Level, LevelAbout]:
    return {
        level: LevelAbout(features=("a", "b"), defaults=(None, 0.0), keys=len(one))
        for level, one in model.items()
    }


def write(model: Model, directory: Path, seed: str = SEED) -> None:
    levels = {
        level: LevelVectors([(word,) for word in one], np.reshape([*one.values()], (-1, 2)))
        for level, one in model.items()
    }
    write_levels(directory, levels, abouts(model), seed=seed)


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
)
def test_keys_of_any_kind_are_found_as_in_a_dict(
    words: list[list[str]], others: list[Word]
) -> None:
    model = model_of(words)
    asked: dict[Level, list[Word]] = {level: [*others, *one, *one] for level, one in model.items()}
    with tempfile.TemporaryDirectory() as directory:
        write(model, Path(directory))
        found = LevelTables.from_directory(Path(directory), abouts(model), seed=SEED).find(asked)
    assert expected(model, asked) == {
        level: [[value.hex() for value in row] for row in vectors.tolist()]
        for level, (vectors, _) in found.items()
    }
    assert {level: known.tolist() for level, (_, known) in found.items()} == {
        level: [word in model[level] for word in words] for level, words in asked.items()
    }


def collisions(keys: int) -> list[str]:
    """Return words that all fall into one slot of a level with so many keys."""
    names = [f"P{number}" for number in range(100_000)]
    rows = as_words(encode_level_keys(names), words=1)
    slots = hash_keys(rows, multipliers(SEED, words=1)) >> hash_shift(count_slots(keys))
    in_one = [name for name, slot in zip(names, slots, strict=True) if slot == slots[0]]
    return in_one[: keys + 1]


@pytest.mark.parametrize("keys", [1, 2, 50])
def test_keys_of_one_slot_are_told_apart(keys: int, tmp_path: Path) -> None:
    *known, unknown = collisions(keys)
    assert len(known) == keys
    model = model_of([known])
    write(model, tmp_path)
    tables = LevelTables.from_directory(tmp_path, abouts(model), seed=SEED)
    vectors, found = tables.find({Level.LISTING: [unknown, *known]})[Level.LISTING]
    assert vectors[1:, 0].tolist() == list(range(keys))
    assert found.tolist() == [False] + [True] * keys


def test_keys_that_share_a_slot_under_one_seed_are_apart_under_another(tmp_path: Path) -> None:
    names = collisions(50)
    sizes = {}
    for seed in (SEED, "another data set's digest"):
        directory = tmp_path / seed
        directory.mkdir()
        write(model_of([names]), directory, seed)
        sizes[seed] = int(np.diff(np.load(directory / "starts.npy").astype(int)).max())
    assert sizes[SEED] == len(names)
    assert sizes["another data set's digest"] <= 5


def test_arrays_stay_mapped_as_long_as_a_table_is_held(tmp_path: Path) -> None:
    model = model_of([["a", "b"]])
    write(model, tmp_path)
    tables = LevelTables.from_directory(tmp_path, abouts(model), seed=SEED)
    gc.collect()
    vectors, _ = tables.find({Level.LISTING: ["b"]})[Level.LISTING]
    del tables
    gc.collect()
    assert vectors.tolist() == [[1.0, 1.0]]


def spoil(path: Path, at: int, bytes_: bytes) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:at] + bytes_ + data[at + len(bytes_) :])


DAMAGES: Sequence[tuple[str, Callable[[Path], object], str]] = (
    ("no file", Path.unlink, "found none"),
    ("nothing in it", lambda path: path.write_bytes(b""), "found none"),
    ("no array", lambda path: path.write_bytes(b"not an array" * 9), "found none"),
    ("a broken header", lambda path: spoil(path, 10, b"{" * 60), "found none"),
    ("an unended text", lambda path: spoil(path, 10, b"'''" * 9), "found none"),
    ("a zip file", lambda path: spoil(path, 0, b"PK\x03\x04"), "found none"),
    ("a pickle", lambda path: np.save(path, np.array([{}]), allow_pickle=True), "found none"),
    ("another type", lambda path: np.save(path, np.load(path).astype("<f4")), "found one of <f4"),
    ("a row less", lambda path: np.save(path, np.load(path)[1:]), "found one of <"),
    ("a dimension less", lambda path: np.save(path, np.load(path).ravel()[:3]), "found one of <"),
    ("a row cut off", lambda path: path.write_bytes(path.read_bytes()[:-8]), "found none"),
)


@pytest.mark.parametrize("file", ["starts.npy", "keys.npy", "listing.npy"])
@pytest.mark.parametrize(
    ("damage", "says"), [one[1:] for one in DAMAGES], ids=[one[0] for one in DAMAGES]
)
def test_file_that_holds_another_array_is_refused(
    file: str, damage: Callable[[Path], object], says: str, tmp_path: Path
) -> None:
    model = model_of([["a", "b"]])
    write(model, tmp_path)
    damage(tmp_path / file)
    with pytest.raises(SnapshotRefusedError, match=f"in {file}; {says}"):
        LevelTables.from_directory(tmp_path, abouts(model), seed=SEED)


@pytest.mark.parametrize(
    ("keys", "said", "says"),
    [
        (["a", "a"], 2, "a key is there twice"),
        (["a", "b"], 3, "expected 4 rows, found 3"),
    ],
)
def test_levels_that_are_not_as_said_are_not_written(
    keys: list[str], said: int, says: str, tmp_path: Path
) -> None:
    vectors = LevelVectors([(key,) for key in keys], np.zeros((len(keys), 2)))
    about = LevelAbout(features=("a", "b"), defaults=(0.0, 0.0), keys=said)
    with pytest.raises(ValueError, match=says):
        write_levels(tmp_path, {Level.LISTING: vectors}, {Level.LISTING: about}, seed=SEED)
