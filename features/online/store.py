"""The root directory of snapshots: one directory a snapshot, named after its id."""

from __future__ import annotations

from pathlib import Path

from features.online.contents import SnapshotContents, SnapshotRefusedError
from features.online.files import verify_snapshot
from features.online.writer import write_snapshot
from features.runtime.atomic import replace_directory, stage_directory
from features.runtime.pointer import CURRENT, resolve


def store_snapshot(contents: SnapshotContents, root: Path) -> str:
    """Write a snapshot as `root/<id>`, completely or not at all, and return its id.

    An undamaged equal snapshot stays. Nothing uses the new one until `pointer.publish` names it.

    Raises:
        StorageError: the disk refuses.
    """
    with stage_directory(root) as staged:
        snapshot_id = write_snapshot(contents, staged)
        if not _is_whole(root / snapshot_id):
            replace_directory(staged, root / snapshot_id)
    return snapshot_id


def snapshot_directory(path: Path) -> Path:
    """Return a snapshot's directory: `path` itself, or the one in use if `path` is a root.

    Raises:
        PointerError: `path` is a root whose pointer names nothing usable.
    """
    return resolve(path) if (path / CURRENT).exists() else path


def _is_whole(snapshot: Path) -> bool:
    """Return whether the directory holds an undamaged snapshot."""
    try:
        verify_snapshot(snapshot)
    except SnapshotRefusedError:
        return False
    return True
