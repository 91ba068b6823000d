"""Making a snapshot out of validated data, in whole or from an earlier one, and publishing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from features.catalogue.catalogue import CATALOGUE
from features.dataset.as_of import resolve_as_of
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.materialise.refresh import RefreshResult, refresh
from features.online.files import verify_snapshot
from features.online.snapshot import OnlineSnapshot
from features.online.store import snapshot_directory, store_snapshot
from features.point_in_time.imputed_stock import ensure_stock
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.snapshot_values import materialise
from features.runtime.pointer import publish
from features.runtime.progress import ProgressCallback


@dataclass(frozen=True, kw_only=True)
class SnapshotRequest:
    """What to make a snapshot of, for which day, from which earlier one, and where to put it."""

    data: Path
    out: Path
    horizons: Horizons
    as_of: str | None = None
    since: Path | None = None


def publish_snapshot(
    request: SnapshotRequest, progress: ProgressCallback
) -> tuple[RefreshResult, Path]:
    """Make a snapshot and put it into use; return what it holds and where it lies.

    Raises:
        XuanpinError: the data, the day or the earlier snapshot can't be used, or the disk refuses;
            what was in use stays.
    """
    dataset = open_dataset(request.data)
    as_of = resolve_as_of(dataset, request.as_of)
    progress("signals", 0)
    signals = build_stored_rows(ensure_stock(dataset, request.horizons), request.horizons)
    if request.since is None:
        contents = materialise(signals, CATALOGUE, as_of, progress)
        made = RefreshResult(contents, {level: len(v.keys) for level, v in contents.levels.items()})
    else:
        earlier = _verify_and_open(snapshot_directory(request.since))
        made = refresh(signals, CATALOGUE, as_of, earlier, progress=progress)
        earlier.close()
    progress("writing", 0)
    snapshot_id = store_snapshot(made.contents, request.out)
    publish(request.out, snapshot_id)
    return made, request.out / snapshot_id


def _verify_and_open(directory: Path) -> OnlineSnapshot:
    """Open a snapshot whose vectors are to be copied: its bytes must be the ones written."""
    verify_snapshot(directory)
    return OnlineSnapshot.open(directory)
