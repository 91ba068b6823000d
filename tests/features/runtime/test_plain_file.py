from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from features.runtime.plain_file import RefusedReadError, read_plain

LIMIT = 8


def test_plain_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345678")
    (tmp_path / "link").symlink_to("file")
    assert read_plain(tmp_path / "file", LIMIT) == b"12345678"
    assert read_plain(tmp_path / "link", LIMIT, follow_link=True) == b"12345678"


@pytest.mark.parametrize(
    ("make", "reason", "size"),
    [
        (lambda _: None, "it is missing", None),
        (lambda path: path.write_bytes(bytes(9)), "it has 9 bytes, and at most 8 are read", 9),
        (lambda path: path.mkdir(), "it is not a plain file", None),
        (os.mkfifo, "it is not a plain file", None),
        (lambda path: path.symlink_to("other"), "it is a symbolic link", None),
        (lambda path: path.symlink_to(path), "it is a symbolic link", None),
    ],
    ids=["missing", "too large", "directory", "pipe", "link", "link to itself"],
)
def test_file_of_another_kind_is_refused_without_waiting(
    make: Callable[[Path], object], reason: str, size: int | None, tmp_path: Path
) -> None:
    make(tmp_path / "file")
    with pytest.raises(RefusedReadError) as caught:
        read_plain(tmp_path / "file", LIMIT)
    assert (caught.value.reason, caught.value.size) == (reason, size)
