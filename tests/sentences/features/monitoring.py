"""Errors of features/monitoring as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.dataset.days import DaySpan
from features.monitoring.bundle_reference import OtherHorizonsError, UnusableBundleError
from features.monitoring.recent_rows import NothingOnSaleError
from features.runtime.errors import XuanpinError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        UnusableBundleError(
            Path("bundles/0123"), "pooling.json is not the file that manifest.json lists"
        ),
        (
            "The bundle bundles/0123 can't be used: pooling.json is not the file that "
            "manifest.json lists. Name a directory under bundles/ that this version's `xuanpin "
            "run` wrote."
        ),
    ),
    (
        OtherHorizonsError("horizon_days", setting=14, bundle=28),
        (
            "The settings have horizons.horizon_days = 14, and the bundle was made with 28. Remove "
            "the setting: the bundle's horizons are used."
        ),
    ),
    (
        NothingOnSaleError(DaySpan(first=20_000, last=20_027)),
        (
            "No listing had units on sale from 2024-10-04 to 2024-10-31. Name another day with "
            "--as-of, or look further back with --days."
        ),
    ),
]
