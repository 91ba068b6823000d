from __future__ import annotations

from pathlib import Path

import pytest

from features.runtime.errors import ArtefactError
from features.runtime.pointer import CURRENT, PointerError, publish, resolve


def test_pointer_published_resolves_to_the_directory(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        publish(tmp_path, name)
        assert resolve(tmp_path) == tmp_path / name
    assert sorted(path.name for path in tmp_path.iterdir()) == [CURRENT, "one", "two"]
    assert (tmp_path / CURRENT).read_text() == "two\n"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../one", "one/two", "/etc", "one\n", "-one", "a" * 129, "absent", "o\0"],
)
def test_pointer_to_anything_but_a_plain_directory_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    publish(tmp_path, "one")
    with pytest.raises(PointerError):
        publish(tmp_path, name)
    assert resolve(tmp_path) == tmp_path / "one"


@pytest.mark.parametrize(
    "content", [b"", b"../one", b"absent\n", b"\xff\xfe", b"one\n\n", b"a" * 999]
)
def test_pointer_edited_by_hand_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / CURRENT).write_bytes(content)
    with pytest.raises(PointerError):
        resolve(tmp_path)


def test_pointer_to_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "link").symlink_to("one")
    with pytest.raises(PointerError):
        publish(tmp_path, "link")


def test_pointer_missing_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError) as caught:
        resolve(tmp_path / "bundles")
    assert str(caught.value) == (
        f"Nothing is in use in {tmp_path / 'bundles'}: it has no file CURRENT. "
        "Check the path, or publish with `xuanpin run`, or a snapshot with "
        "`xuanpin features materialise`."
    )
