"""Refresh an earlier snapshot: compute only the keys whose features may have changed.

The result equals the one of `materialise`, byte for byte. This holds as long as the rows known at
the earlier moment stay as they were. A digest of each table proves it
(features/dataset/row_digests.py); if a digest differs, all keys are computed and the reason is
reported. Facts without a time may change: features computed from them alone are computed for all
keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import ibis
import numpy as np
import pyarrow as pa

from features.catalogue.catalogue import Catalogue
from features.dataset.days import DaySpan, as_of_to_day
from features.declarations.kinds import Age, BaseFeature, Elapsed
from features.declarations.levels import LEVEL_KEYS, LEVEL_TITLES, Level
from features.materialise.can_refresh import why_full
from features.materialise.changed_keys import TIMELESS, changed_keys
from features.online.contents import LevelVectors, SnapshotContents
from features.online.snapshot import OnlineSnapshot
from features.point_in_time.level_vectors import level_vectors, list_keys, live_keys
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.snapshot_values import materialise, snapshot_contents
from features.runtime.arrays import FloatArray
from features.runtime.errors import SettingsError
from features.runtime.progress import ProgressCallback, ignore_progress

Key = tuple[str, ...]
GROWING: Final = (Elapsed, Age)
"""Kinds whose value counts the days up to the moment."""
COPY_BLOCK_ROWS: Final = 20_000
"""Vectors copied from the earlier snapshot in one look-up."""


class SnapshotIsLaterError(SettingsError):
    """Refuse to refresh a snapshot that is later than the requested day."""

    def __init__(self, *, since: datetime, as_of: datetime) -> None:
        super().__init__(
            problem=f"The snapshot to refresh is of {since:%Y-%m-%d}, later than the requested "
            f"{as_of:%Y-%m-%d}.",
            hint="Leave --since out, or name a later day with --as-of.",
        )


@dataclass(frozen=True)
class RefreshResult:
    """A snapshot's contents, and how many keys of each level were computed.

    `full_reason` says why an earlier snapshot couldn't be refreshed.
    """

    contents: SnapshotContents
    computed: Mapping[Level, int]
    full_reason: str | None = None


@dataclass(frozen=True)
class _Step:
    """The days from an earlier snapshot to the requested moment, and the rows of both."""

    signals: SignalRows
    earlier: OnlineSnapshot
    span: DaySpan


def refresh(
    signals: SignalRows,
    catalogue: Catalogue,
    as_of: datetime,
    earlier: OnlineSnapshot,
    *,
    progress: ProgressCallback = ignore_progress,
) -> RefreshResult:
    """Compute a snapshot at `as_of` (a UTC midnight), copying unchanged keys from an earlier one.

    Raises:
        SnapshotIsLaterError: the snapshot is later than `as_of`.
    """
    if earlier.as_of > as_of:
        raise SnapshotIsLaterError(since=earlier.as_of, as_of=as_of)
    reason = why_full(signals, catalogue, earlier)
    if reason is not None:
        return compute_all(signals, catalogue, as_of, reason=reason, progress=progress)
    step = _Step(signals, earlier, DaySpan(as_of_to_day(earlier.as_of) + 1, as_of_to_day(as_of)))
    levels: dict[Level, LevelVectors] = {}
    computed: dict[Level, int] = {}
    for level in Level:
        progress(LEVEL_TITLES[level], 0)
        levels[level], computed[level] = _refresh_level(step, catalogue.at_level(level))
    return RefreshResult(snapshot_contents(signals, catalogue, as_of, levels), computed)


def compute_all(
    signals: SignalRows,
    catalogue: Catalogue,
    as_of: datetime,
    *,
    reason: str | None = None,
    progress: ProgressCallback = ignore_progress,
) -> RefreshResult:
    """Compute a snapshot of all keys at `as_of`; `reason` says why none is copied."""
    contents = materialise(signals, catalogue, as_of, progress)
    computed = {level: len(vectors.keys) for level, vectors in contents.levels.items()}
    return RefreshResult(contents, computed, reason)


def _refresh_level(step: _Step, features: Sequence[BaseFeature]) -> tuple[LevelVectors, int]:
    """Return a level's vectors and how many of its keys were computed."""
    level = features[0].level
    keys = list_keys(step.signals, live_keys(step.signals, level))
    values, is_known = _copy_vectors(step.earlier, level, keys)
    growing = [isinstance(feature, GROWING) for feature in features]
    values[:, growing] += step.span.last - step.span.first + 1
    vectors = LevelVectors(keys, values)
    changed = _list_changed_keys(step, features)
    stale = [key for key, known in zip(keys, is_known, strict=True) if not known or key in changed]
    _compute(step, features, stale, vectors)
    _compute_timeless(step, features, vectors)
    return vectors, len(stale)


def _copy_vectors(
    earlier: OnlineSnapshot, level: Level, keys: Sequence[Key]
) -> tuple[FloatArray, list[bool]]:
    """Return the earlier vectors of keys, and which of the keys had one."""
    values = np.empty((len(keys), len(earlier.about.levels[level].features)))
    is_known: list[bool] = []
    for start in range(0, len(keys), COPY_BLOCK_ROWS):
        block = slice(start, start + COPY_BLOCK_ROWS)
        values[block], known = earlier.vectors(level, keys[block])
        is_known += known.tolist()
    return values, is_known


def _list_changed_keys(step: _Step, features: Sequence[BaseFeature]) -> frozenset[Key]:
    keys = changed_keys(step.signals, features, step.span)
    return frozenset() if keys is None else frozenset(list_keys(step.signals, keys))


def _compute(
    step: _Step, features: Sequence[BaseFeature], keys: Sequence[Key], into: LevelVectors
) -> None:
    """Compute the vectors of some keys and write them into `into`."""
    if not keys:
        return
    names = LEVEL_KEYS[features[0].level]
    columns = (pa.array(column, pa.string()) for column in zip(*keys, strict=True))
    table = ibis.memtable(pa.table(dict(zip(names, columns, strict=True))))
    fresh = level_vectors(step.signals, features, table, step.span.last)
    into.values[_row_numbers(into, fresh)] = fresh.values


def _compute_timeless(step: _Step, features: Sequence[BaseFeature], into: LevelVectors) -> None:
    """Compute the features of timeless facts for all keys and write them into `into`."""
    columns = [index for index, feature in enumerate(features) if feature.signal in TIMELESS]
    if not columns:
        return
    timeless = [features[index] for index in columns]
    keys = live_keys(step.signals, features[0].level)
    fresh = level_vectors(step.signals, timeless, keys, step.span.last)
    into.values[np.ix_(_row_numbers(into, fresh), columns)] = fresh.values


def _row_numbers(into: LevelVectors, fresh: LevelVectors) -> list[int]:
    """Return the row of `into` that holds each key of `fresh`."""
    rows = {key: row for row, key in enumerate(into.keys)}
    return [rows[key] for key in fresh.keys]
