"""Errors of features/catalogue as they are printed."""

from __future__ import annotations

from features.catalogue.choose import UnknownNameError
from features.runtime.errors import XuanpinError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        UnknownNameError(
            "level",
            "markets",
            ["listing", "product", "market"],
            "xuanpin features list --help",
        ),
        (
            "No level is called markets. Did you mean market? Choose one of listing, product, "
            "market. See `xuanpin features list --help`."
        ),
    ),
    (
        UnknownNameError(
            "feature",
            "?",
            [f"views_{days}d" for days in range(1, 20)],
            "xuanpin features list",
        ),
        "No feature is called ?. See `xuanpin features list`.",
    ),
]
