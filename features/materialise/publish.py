"""Make a snapshot from validated data, in full or from an earlier snapshot, and publish it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from features.catalogue.catalogue import CATALOGUE
from features.dataset.as_of import resolve_as_of
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.materialise.refresh import RefreshResult, compute_all, refresh
from features.online.files import sign_snapshot
from features.online.snapshot import OnlineSnapshot
from features.online.store import snapshot_directory, store_snapshot
from features.point_in_time.imputed_stock import ensure_stock
from features.point_in_time.signal_rows import build_stored_rows
from features.runtime.pointer import publish
from features.runtime.progress import ProgressCallback
from features.runtime.signature import read_private_key


@dataclass(frozen=True, kw_only=True)
class SnapshotRequest:
    """Which snapshot to make: from which data, for which day, and into which directory.

    `since` is an earlier snapshot to refresh; None computes every key. `signing_key` is the file of
    a private key that signs the snapshot before it is published.
    """

    data: Path
    out: Path
    horizons: Horizons
    as_of: str | None = None
    since: Path | None = None
    signing_key: Path | None = None


def publish_snapshot(
    request: SnapshotRequest, progress: ProgressCallback
) -> tuple[RefreshResult, Path]:
    """Make a snapshot and put it into use; return its contents and its directory.

    Raises:
        XuanpinError: the data, the day or the earlier snapshot can't be used, or the disk refuses;
            the snapshot in use stays.
    """
    key = None if request.signing_key is None else read_private_key(request.signing_key)
    dataset = open_dataset(request.data)
    as_of = resolve_as_of(dataset, request.as_of)
    progress("signals", 0)
    signals = build_stored_rows(ensure_stock(dataset, request.horizons), request.horizons)
    if request.since is None:
        result = compute_all(signals, CATALOGUE, as_of, progress=progress)
    else:
        earlier = OnlineSnapshot.open_verified(snapshot_directory(request.since))
        result = refresh(signals, CATALOGUE, as_of, earlier, progress=progress)
        earlier.close()
    progress("writing", 0)
    snapshot_id = store_snapshot(result.contents, request.out)
    if key is not None:
        sign_snapshot(request.out / snapshot_id, key)
    publish(request.out, snapshot_id)
    return result, request.out / snapshot_id
