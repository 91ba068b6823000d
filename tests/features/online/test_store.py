"""The store of snapshots: whole under its id, whatever happens meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from features.online.files import verify_snapshot
from features.online.store import store_snapshot
from features.runtime.errors import StorageError
from tests.worlds.serving import snapshot_contents


def test_snapshot_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[int | str] = []
    fsync, rename = os.fsync, os.rename

    def synced(handle: int) -> None:
        fsync(handle)
        events.append(os.fstat(handle).st_ino)

    def renamed(source: Path, target: Path) -> None:
        rename(source, target)
        events.append(target.name)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    snapshot = tmp_path / store_snapshot(snapshot_contents(), tmp_path)
    named = events.index(snapshot.name)
    entries = {file.stat().st_ino for file in snapshot.iterdir()}
    assert entries <= set(events[:named])
    assert events[named - 1 :] == [snapshot.stat().st_ino, snapshot.name, tmp_path.stat().st_ino]


def test_equal_snapshot_stays_and_a_damaged_one_is_written_again(tmp_path: Path) -> None:
    snapshot = tmp_path / store_snapshot(snapshot_contents(), tmp_path)
    before = snapshot.stat().st_ino
    assert store_snapshot(snapshot_contents(), tmp_path) == snapshot.name
    assert snapshot.stat().st_ino == before
    about = snapshot / "snapshot.json"
    about.write_text(about.read_text().replace("USD", "EUR"))
    assert store_snapshot(snapshot_contents(), tmp_path) == snapshot.name
    verify_snapshot(snapshot)
    assert [entry.name for entry in tmp_path.iterdir()] == [snapshot.name]


def test_root_that_is_a_file_is_refused_and_stays(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.write_text("of somebody")
    with pytest.raises(StorageError, match="a directory"):
        store_snapshot(snapshot_contents(), root)
    assert root.read_text() == "of somebody"
