"""Running workers read the file of keys again when it changes, and never open up."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.access.key_file import revoke_key
from serving.access.key_ring import LOOK_EVERY, KeyRing
from serving.access.keys import RateLimit
from tests.worlds.api.keys import add, add_expired, id_of


class Clock:
    """A clock that a test moves, in nanoseconds."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def wait(self) -> None:
        self.now += LOOK_EVERY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def knows(ring: KeyRing, text: str) -> bool:
    key = ring.identify(text.encode())
    assert key is None or key.key_id == id_of(text)
    return key is not None


def test_changes_are_seen_after_a_second_and_not_before(path: Path) -> None:
    clock = Clock()
    first = add(path)
    ring = KeyRing(path, workers=1, clock=clock)
    second = add(path)
    revoke_key(path, id_of(first))
    assert (knows(ring, first), knows(ring, second)) == (True, False)
    clock.wait()
    assert (knows(ring, first), knows(ring, second)) == (False, True)


def break_file(path: Path) -> None:
    path.write_text("not keys")


def become_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize("spoil", [break_file, become_loop])
def test_broken_file_keeps_the_keys_and_is_logged_once(
    path: Path, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    key = add(path)
    ring = KeyRing(path, workers=1, clock=clock)
    whole = path.read_bytes()
    for _ in range(2):
        caplog.clear()
        spoil(path)
        for _ in range(3):
            clock.wait()
            assert knows(ring, key)
        (record,) = caplog.records
        assert record.getMessage().startswith("1 earlier keys stay valid: ")
        path.unlink()
        path.write_bytes(whole)
        clock.wait()
        assert knows(ring, key)


def test_missing_file_means_no_key_until_it_is_back(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    ring = KeyRing(path, workers=1, clock=clock)
    key = add(path)
    assert not knows(ring, key)
    clock.wait()
    assert knows(ring, key)
    moved = path.rename(path.with_name("moved"))
    for _ in range(3):
        clock.wait()
        assert not knows(ring, key)
    gone = [each for each in caplog.records if "no key is valid" in each.getMessage()]
    assert len(gone) == 2  # at the start and when it went
    moved.rename(path)
    clock.wait()
    assert knows(ring, key)


def test_file_that_breaks_and_then_goes_leaves_no_key(path: Path) -> None:
    clock = Clock()
    key = add(path)
    ring = KeyRing(path, workers=1, clock=clock)
    break_file(path)
    clock.wait()
    assert knows(ring, key)
    path.unlink()
    clock.wait()
    assert not knows(ring, key)


def test_file_broken_from_the_start_has_no_key(path: Path) -> None:
    key = add(path)
    break_file(path)
    assert not knows(KeyRing(path, workers=1), key)


def test_link_that_is_moved_as_kubernetes_does_is_followed(path: Path, tmp_path: Path) -> None:
    clock = Clock()
    old, new = tmp_path / "1" / "keys.json", tmp_path / "2" / "keys.json"
    first, second = add(old), add(new)
    data = tmp_path / "data"
    data.symlink_to("1")
    path.symlink_to("data/keys.json")
    ring = KeyRing(path, workers=1, clock=clock)
    assert knows(ring, first)
    (tmp_path / "next").symlink_to("2")
    os.replace(tmp_path / "next", data)  # noqa: PTH105 - as Kubernetes does it
    clock.wait()
    assert (knows(ring, first), knows(ring, second)) == (False, True)


def test_expired_key_is_unknown(path: Path) -> None:
    assert not knows(KeyRing(path, workers=1), add_expired(path))
    valid = add(path, days=1)
    assert knows(KeyRing(path, workers=1), valid)


def test_limit_goes_on_when_the_file_changes_and_ends_with_the_key(path: Path) -> None:
    clock = Clock()
    text = add(path, rate=RateLimit(per_second=0.01, burst=1))
    ring = KeyRing(path, workers=1, clock=clock)
    key = ring.identify(text.encode())
    assert key is not None
    assert (ring.count_use(key), ring.count_use(key)) == (0, 100)
    other = add(path)
    clock.wait()
    assert knows(ring, other)
    assert ring.count_use(key) == 99
    revoke_key(path, id_of(text))
    clock.wait()
    assert not knows(ring, text)
    assert ring._buckets == {}
