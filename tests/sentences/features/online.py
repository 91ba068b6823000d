"""Errors of features/online as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.online.contents import SnapshotRefusedError
from features.runtime.errors import XuanpinError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        SnapshotRefusedError(
            Path("snapshots/0123456789abcdef"), "it has format 5, and this version reads format 6"
        ),
        (
            "The snapshot snapshots/0123456789abcdef can't be used: it has format 5, and this "
            "version reads format 6. Make a new one with `xuanpin features "
            "materialise`; earlier snapshots stay usable."
        ),
    ),
    (
        SnapshotRefusedError(
            Path("snapshots/0123456789abcdef"),
            "data.mdb was changed (SHA-256 89abcdef01234567…, not 0123456789abcdef…)",
        ),
        (
            "The snapshot snapshots/0123456789abcdef can't be used: data.mdb was changed (SHA-256 "
            "89abcdef01234567…, not 0123456789abcdef…). Make a new one with `xuanpin features "
            "materialise`; earlier snapshots stay usable."
        ),
    ),
]
