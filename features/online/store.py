"""Where snapshots lie: a root directory with one directory a snapshot, named after its id."""

from __future__ import annotations

from pathlib import Path

from features.online.contents import SnapshotContents, SnapshotRefusedError
from features.online.files import verify_snapshot
from features.online.writer import write_snapshot
from features.runtime.atomic import replace_directory, stage_directory
from features.runtime.pointer import CURRENT, resolve


def store_snapshot(contents: SnapshotContents, root: Path) -> str:
    """Write a snapshot as `root/<id>`, whole or not at all whatever happens, and return its id.

    An equal one that is there undamaged stays. Nobody uses it before `pointer.publish` names it.

    Raises:
        StorageError: the disk refuses.
    """
    with stage_directory(root) as staged:
        snapshot_id = write_snapshot(contents, staged)
        if not _is_whole(root / snapshot_id):
            replace_directory(staged, root / snapshot_id)
    return snapshot_id


def snapshot_directory(place: Path) -> Path:
    """Return a snapshot's directory: `place` itself, or the one in use where it is a root.

    Raises:
        PointerError: `place` is a root whose pointer names nothing usable.
    """
    return resolve(place) if (place / CURRENT).exists() else place


def _is_whole(snapshot: Path) -> bool:
    """Tell whether an equal snapshot is there already, undamaged."""
    try:
        verify_snapshot(snapshot)
    except SnapshotRefusedError:
        return False
    return True
