"""The file of rows: every key is found as in a dict, and nothing else is an LMDB file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import lmdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.online.contents import SnapshotRefusedError
from features.online.key_bytes import encode_keys
from features.online.lmdb_file import DATA, MAX_KEY_BYTES, KeyedFile, write_keyed_file

KINDS = ("product", "product facts")
KEYS = st.text(st.sampled_from("ab\0\n\x1e\x1f\xffé") | st.characters(codec="utf-8"), max_size=40)
LONG = st.builds(lambda key, times: key * times, KEYS, st.integers(1, 40))
ROWS = st.dictionaries(KEYS | LONG, st.binary(max_size=99), max_size=30)
Model = Mapping[str, Mapping[str, bytes]]


def write(model: Model, directory: Path) -> None:
    rows = [
        row
        for kind, values in model.items()
        for row in zip(encode_keys(kind, values), values.values(), strict=True)
    ]
    write_keyed_file(directory, sorted(rows), max_bytes=1 << 20)


def open_file(directory: Path) -> KeyedFile:
    with (directory / DATA).open("rb") as data:
        return KeyedFile.open(directory, data)


@given(products=ROWS, facts=ROWS, unknown=st.lists(KEYS | LONG, max_size=20))
def test_keys_of_any_text_are_found_as_in_a_dict(
    products: dict[str, bytes], facts: dict[str, bytes], unknown: list[str]
) -> None:
    model = dict(zip(KINDS, (products, facts), strict=True))
    with tempfile.TemporaryDirectory() as directory:
        write(model, Path(directory))
        file = open_file(Path(directory))
        for kind, values in model.items():
            keys = [*values, *unknown]
            with file.begin_read() as get:
                assert list(map(get, encode_keys(kind, keys))) == [values.get(key) for key in keys]
        file.close()


@pytest.mark.parametrize("length", [MAX_KEY_BYTES - 8, MAX_KEY_BYTES - 7, 10_000])
def test_key_around_the_limit_of_lmdb_is_found(length: int, tmp_path: Path) -> None:
    keys = ["a" * length, "a" * (length - 1) + "b"]
    write({"product": {key: key[-1].encode() for key in keys}}, tmp_path)
    with open_file(tmp_path).begin_read() as get:
        assert list(map(get, encode_keys("product", keys))) == [b"a", b"b"]


def test_rows_of_one_identifier_lie_side_by_side() -> None:
    kinds = (*KINDS, "listing")
    keys = [key for kind in kinds for key in encode_keys(kind, ["P1", "P2", "P3"])]
    assert [key.split(b"\x1f")[0] for key in sorted(keys)] == [b"P1"] * 3 + [b"P2"] * 3 + [
        b"P3"
    ] * 3


@pytest.mark.parametrize("rows", [[(b"a", b"1"), (b"a", b"2")], [(b"b", b"1"), (b"a", b"2")]])
def test_rows_that_are_not_sorted_or_not_distinct_are_not_written(
    rows: list[tuple[bytes, bytes]], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="there twice, or out of order"):
        write_keyed_file(tmp_path, rows, max_bytes=1 << 20)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not a file of rows" * 999),
    ],
    ids=["empty", "other content"],
)
def test_file_that_is_not_of_lmdb_is_refused(
    damage: Callable[[Path], object], tmp_path: Path
) -> None:
    write({"product": {"P1": b"1"}}, tmp_path)
    damage(tmp_path / DATA)
    with pytest.raises(SnapshotRefusedError, match=r"LMDB can't open data\.mdb \("):
        open_file(tmp_path)


def test_file_that_is_open_is_mapped_whatever_has_its_name_now(tmp_path: Path) -> None:
    write({"product": {"P1": b"1"}}, tmp_path)
    with (tmp_path / DATA).open("rb") as data:
        (tmp_path / DATA).unlink()
        write({"product": {"P1": b"2"}}, tmp_path)
        file = KeyedFile.open(tmp_path, data)
    other = open_file(tmp_path)
    for opened, value in ((file, b"1"), (other, b"2")):
        with opened.begin_read() as get:
            assert list(map(get, encode_keys("product", ["P1"]))) == [value]
        opened.close()


def test_value_stays_valid_after_the_file_is_closed(tmp_path: Path) -> None:
    write({"product": {"P1": b"1"}}, tmp_path)
    file = open_file(tmp_path)
    with file.begin_read() as get:
        (value,) = map(get, encode_keys("product", ["P1"]))
    file.close()
    assert value == b"1"
    with pytest.raises(lmdb.Error, match="closed"), file.begin_read():
        pass
