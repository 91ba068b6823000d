"""Materialise: the base features of every live key at one moment, by the same interpreter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from features.catalogue import Catalogue
from features.days import as_of_to_day
from features.level_vectors import level_vectors, live_keys
from features.levels import LEVEL_TITLES, Level
from features.signal_rows import SignalRows
from features.snapshot import LevelVectors, SnapshotContents
from features.snapshot_contents import snapshot_contents

Watch = Callable[[str, int], None]
"""Told what is worked on and how many rows of it are done."""


def unwatched(_subject: str, _rows: int) -> None:
    """Tell nobody."""


def materialise(
    signals: SignalRows, catalogue: Catalogue, as_of: datetime, watch: Watch = unwatched
) -> SnapshotContents:
    """Compute a snapshot: one spine row a key of each level, at `as_of` (a UTC midnight)."""
    day = as_of_to_day(as_of)
    levels: dict[Level, LevelVectors] = {}
    for level in Level:
        watch(LEVEL_TITLES[level], 0)
        levels[level] = level_vectors(signals, catalogue.at(level), live_keys(signals, level), day)
    return snapshot_contents(signals, catalogue, as_of, levels)
