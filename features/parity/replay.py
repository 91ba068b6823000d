"""Replay sampled training rows through snapshots: real files, opened as the service opens them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from features.catalogue.catalogue import Catalogue
from features.dataset.days import as_of_to_day, to_datetime
from features.online.contents import SnapshotRefusedError
from features.online.snapshot import OnlineSnapshot
from features.online.writer import write_snapshot
from features.parity.compare import Difference, Parity, compare, serving_values, training_values
from features.parity.sample import ReplaySample, sample_day, sample_rows
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.snapshot_values import materialise
from features.runtime.progress import ProgressCallback, ignore_progress
from features.runtime.temporary import temporary_directory
from features.runtime.text import escape


def replay(
    signals: SignalRows,
    catalogue: Catalogue,
    parameters: Mapping[str, float],
    sample: ReplaySample,
    *,
    progress: ProgressCallback = ignore_progress,
) -> Parity:
    """Compare sampled training rows with snapshots that are made for their moments."""
    progress("training rows", 0)
    trained, served = [], []
    by_day = sample_rows(signals, catalogue, sample)
    for day, rows in by_day.items():
        progress(f"snapshot of {to_datetime(day):%Y-%m-%d}", 0)
        trained.append(training_values(catalogue, rows, parameters))
        with temporary_directory() as directory:
            write_snapshot(materialise(signals, catalogue, to_datetime(day)), directory)
            snapshot = OnlineSnapshot.open(directory)
            served.append(serving_values(catalogue, rows, parameters, snapshot))
            snapshot.close()
    return _parity(by_day, compare(catalogue, trained, served))


def replay_snapshot(
    signals: SignalRows,
    catalogue: Catalogue,
    parameters: Mapping[str, float],
    sample: ReplaySample,
    *,
    directory: Path,
) -> Parity:
    """Compare sampled training rows of a snapshot's moment with that snapshot.

    Raises:
        SnapshotRefusedError: it is damaged, or was made for other features or horizons.
    """
    snapshot = OnlineSnapshot.open_verified(directory)
    try:
        _refuse_other(snapshot, signals, catalogue, directory)
        by_day = sample_day(signals, catalogue, as_of_to_day(snapshot.as_of), sample)
        (rows,) = by_day.values()
        trained = training_values(catalogue, rows, parameters)
        served = serving_values(catalogue, rows, parameters, snapshot)
    finally:
        snapshot.close()
    return _parity(by_day, compare(catalogue, [trained], [served]))


def _refuse_other(
    snapshot: OnlineSnapshot, signals: SignalRows, catalogue: Catalogue, directory: Path
) -> None:
    about = snapshot.about
    if about.catalogue_fingerprint != catalogue.fingerprint:
        made_for, current = about.catalogue_fingerprint[:16], catalogue.fingerprint[:16]
        reason = f"it was made for catalogue {escape(made_for)}, this version has {current}"
        raise SnapshotRefusedError(directory, reason)
    if about.horizons != signals.horizons:
        reason = f"it was made with horizons {about.horizons}, the settings have {signals.horizons}"
        raise SnapshotRefusedError(directory, reason)


def _parity(by_day: Mapping[int, pa.Table], features: tuple[Difference, ...]) -> Parity:
    return Parity(
        rows=sum(len(rows) for rows in by_day.values()),
        moments=tuple(f"{to_datetime(day):%Y-%m-%d}" for day in by_day),
        features=features,
    )
