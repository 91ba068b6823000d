"""Refresh: a snapshot out of an earlier one, computing only the keys that something happened to.

The result is the one that `materialise` makes, byte for byte. It rests on what the time rule
promises: rows that were known at the earlier moment neither come, go nor change. A digest of each
table tells where that doesn't hold (features/dataset/row_digests.py); then all keys are computed
and the reason is told. Facts without time may change: what rests on them alone is computed for all
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
from features.point_in_time.snapshot_values import (
    materialise,
    snapshot_contents,
)
from features.runtime.arrays import FloatArray
from features.runtime.errors import SettingsError
from features.runtime.progress import ProgressCallback, ignore_progress

Key = tuple[str, ...]
GROWING: Final = (Elapsed, Age)
"""Kinds whose value is a number of days up to the moment."""
COPY_BLOCK_ROWS: Final = 20_000
"""Vectors on their way from the earlier snapshot at a time."""


class SnapshotIsLaterError(SettingsError):
    """Refuse to go back in time from a snapshot."""

    def __init__(self, *, since: datetime, as_of: datetime) -> None:
        super().__init__(
            expected=f"an earlier snapshot than {as_of:%Y-%m-%d}",
            found=f"one of {since:%Y-%m-%d}",
            way_out="Leave --since out, or name a later day with --as-of.",
        )


@dataclass(frozen=True)
class RefreshResult:
    """A snapshot's contents, how many keys of each level were computed, and why all were."""

    contents: SnapshotContents
    computed: Mapping[Level, int]
    full_reason: str | None = None


@dataclass(frozen=True)
class _Step:
    """The way from one snapshot to the moment of another."""

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
    """Compute a snapshot at `as_of` (a UTC midnight), copying untouched keys from an earlier one.

    Raises:
        SnapshotIsLaterError: the snapshot is later than `as_of`.
    """
    if earlier.as_of > as_of:
        raise SnapshotIsLaterError(since=earlier.as_of, as_of=as_of)
    reason = why_full(signals, catalogue, earlier)
    if reason is not None:
        contents = materialise(signals, catalogue, as_of, progress)
        computed = {level: len(one.keys) for level, one in contents.levels.items()}
        return RefreshResult(contents, computed, reason)
    step = _Step(signals, earlier, DaySpan(as_of_to_day(earlier.as_of) + 1, as_of_to_day(as_of)))
    levels: dict[Level, LevelVectors] = {}
    computed = {}
    for level in Level:
        progress(LEVEL_TITLES[level], 0)
        levels[level], computed[level] = _refresh_level(step, catalogue.at_level(level))
    return RefreshResult(snapshot_contents(signals, catalogue, as_of, levels), computed)


def _refresh_level(step: _Step, features: Sequence[BaseFeature]) -> tuple[LevelVectors, int]:
    """Return a level's vectors and how many of its keys were computed."""
    level = features[0].level
    keys = list_keys(step.signals, live_keys(step.signals, level))
    values, is_known = _copy_vectors(step.earlier, level, keys)
    growing = [isinstance(feature, GROWING) for feature in features]
    values[:, growing] += step.span.last - step.span.first + 1
    vectors = LevelVectors(keys, values)
    changed = _list_changed_keys(step, features)
    again = [key for key, known in zip(keys, is_known, strict=True) if not known or key in changed]
    _compute(step, features, again, vectors)
    _compute_timeless(step, features, vectors)
    return vectors, len(again)


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
    """Put fresh vectors of some keys in their places."""
    if not keys:
        return
    names = LEVEL_KEYS[features[0].level]
    columns = (pa.array(column, pa.string()) for column in zip(*keys, strict=True))
    table = ibis.memtable(pa.table(dict(zip(names, columns, strict=True))))
    fresh = level_vectors(step.signals, features, table, step.span.last)
    into.values[_places(into, fresh)] = fresh.values


def _compute_timeless(step: _Step, features: Sequence[BaseFeature], into: LevelVectors) -> None:
    """Put fresh values of what has no time in their places, for all keys."""
    columns = [place for place, feature in enumerate(features) if feature.signal in TIMELESS]
    if not columns:
        return
    timeless = [features[place] for place in columns]
    keys = live_keys(step.signals, features[0].level)
    fresh = level_vectors(step.signals, timeless, keys, step.span.last)
    into.values[np.ix_(_places(into, fresh), columns)] = fresh.values


def _places(into: LevelVectors, fresh: LevelVectors) -> list[int]:
    places = {key: place for place, key in enumerate(into.keys)}
    return [places[key] for key in fresh.keys]
