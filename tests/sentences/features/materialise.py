"""Errors of features/materialise as they are printed."""

from __future__ import annotations

from datetime import UTC, datetime

from features.materialise.refresh import SnapshotIsLaterError
from features.runtime.errors import XuanpinError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        SnapshotIsLaterError(
            since=datetime(2026, 5, 1, tzinfo=UTC), as_of=datetime(2026, 4, 1, tzinfo=UTC)
        ),
        (
            "The snapshot to refresh is of 2026-05-01, later than the requested 2026-04-01. Leave "
            "--since out, or name a later day with --as-of."
        ),
    ),
]
