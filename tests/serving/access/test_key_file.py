"""The file of keys: whole, private, and refused where it isn't what `keys add` writes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from serving.access.errors import KeyFileRefusedError, TooManyKeysError, UnknownKeyError
from serving.access.key_file import MAX_BYTES, MAX_KEYS, read_keys, revoke_key
from serving.access.keys import RateLimit
from serving.access.scopes import Scope
from tests.worlds.api.keys import add, id_of


def test_file_holds_what_was_added_and_no_key(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys.json"
    limit = RateLimit(per_second=50, burst=100)
    first = add(path, Scope.SCORE, days=90, rate=limit)
    second = add(path, name="选品 robot-2")
    one, two = read_keys(path)
    assert (one.key_id, one.name, one.scopes, one.rate) == (id_of(first), "shop", ("score",), limit)
    assert (two.name, two.scopes, two.expires) == ("选品 robot-2", tuple(Scope), None)
    assert one.expires is not None
    assert (one.expires - one.created).days == 90
    for key in (first, second):
        assert key[16:] not in path.read_text()
    assert one.matches(first.encode())
    assert not two.matches(first.encode())
    assert one.salt != two.salt


@pytest.mark.parametrize("umask", [0, 0o077])
def test_new_file_is_private_and_an_earlier_one_keeps_its_mode(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "keys.json"
    before = os.umask(umask)
    try:
        add(path)
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        add(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


def test_file_behind_a_link_is_changed_where_it_is(tmp_path: Path) -> None:
    path, link = tmp_path / "keys.json", tmp_path / "link.json"
    add(path)
    link.symlink_to(path)
    added = add(link)
    assert link.is_symlink()
    assert read_keys(path)[-1].key_id == id_of(added)


def test_keys_added_at_once_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(4) as pool:
        added = set(pool.map(lambda _: id_of(add(path)), range(12)))
    assert {key.key_id for key in read_keys(path)} == added


def test_revoked_key_is_gone_and_an_unknown_one_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first, second = add(path), add(path)
    assert revoke_key(path, id_of(first)).key_id == id_of(first)
    assert [key.key_id for key in read_keys(path)] == [id_of(second)]
    for text in (id_of(first), second, "../etc"):
        with pytest.raises(UnknownKeyError) as caught:
            revoke_key(path, text)
        assert text not in str(caught.value)


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Return what changes the content of a file of keys."""

    def edit_file(path: Path) -> None:
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return edit_file


def edit_key(**changes: object) -> Callable[[Path], object]:
    return edit(lambda content: content["keys"][0].update(changes))


def become_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (Path.unlink, "it is missing"),
        (become_pipe, "not a plain file"),
        (become_directory, "not a plain file"),
        (lambda path: path.write_bytes(b""), "Input data was truncated"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "Input data was truncated"),
        (lambda path: path.write_bytes(b"[" * 100_000), "Expected `object`, got `array`"),
        (lambda path: path.write_bytes(b'{"format":1,"keys":[],"\xff":1}'), "utf-8"),
        (lambda path: path.write_bytes(b" " * (MAX_BYTES + 1)), "at most 1,048,576 are read"),
        (edit(lambda content: content.update(format=2)), "Invalid enum value 2"),
        (edit(lambda content: content.update(more=1)), "unknown field `more`"),
        (edit(lambda content: content["keys"].append(content["keys"][0])), "the same id"),
        (edit_key(scopes=[]), "length >= 1"),
        (edit_key(scopes=["root"]), "Invalid enum value 'root'"),
        (edit_key(salt=""), "length >= 16"),
        (edit_key(digest="AAAA"), "length >= 32"),
        (edit_key(key_id="../../../etc"), "matching regex"),
        (edit_key(name="a\x1b[2J"), "matching regex"),
        (edit_key(expires="2030-01-01T00:00:00"), "timezone"),
        (edit_key(rate={"per_second": 0, "burst": 1}), ">= 0.001"),
        (edit_key(key="xp_"), "unknown field `key`"),
    ],
)
def test_file_of_another_form_is_refused_and_stays(
    tmp_path: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / "keys.json"
    add(path)
    spoil(path)
    with pytest.raises(KeyFileRefusedError) as caught:
        read_keys(path)
    assert reason in str(caught.value)
    assert caught.value.exit_code == 5
    if path.exists():
        before = path.lstat()
        with pytest.raises(KeyFileRefusedError):
            add(path)
        assert os.path.samestat(path.lstat(), before)


def test_file_holds_so_many_keys_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    add(path, name="字" * 64, days=3_650, rate=RateLimit(per_second=12_345.678, burst=99_999))
    content = json.loads(path.read_text())
    (key,) = content["keys"]
    content["keys"] = [{**key, "key_id": f"{number:012x}"} for number in range(MAX_KEYS)]
    path.write_text(json.dumps(content, indent=2))
    assert len(read_keys(path)) == MAX_KEYS
    with pytest.raises(TooManyKeysError):
        add(path)
