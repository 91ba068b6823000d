"""Errors of features/parity as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.parity.check import NotPoolingError, UnusableParametersError
from features.parity.sample import NothingToReplayError
from features.runtime.errors import XuanpinError

FILE = Path("bundles/0123456789abcdef/pooling.json")

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        NotPoolingError(FILE, "there is no such file"),
        (
            "The pooling parameters in bundles/0123456789abcdef/pooling.json can't be used: there "
            "is no such file. Name pooling.json of a bundle that was made with this catalogue."
        ),
    ),
    (
        UnusableParametersError(FILE, ["return_rate_mean", "return_rate_strength_market"]),
        (
            "Pooling parameters must be finite, and strengths above 0. In "
            "bundles/0123456789abcdef/pooling.json these are not: return_rate_mean, "
            "return_rate_strength_market. Name pooling.json of a bundle that was made with this "
            "catalogue."
        ),
    ),
    (
        NothingToReplayError("on 2026-05-01"),
        (
            "No listing had units to sell on 2026-05-01: there is no row to replay. Name data with "
            "listings, and stock or orders, by then."
        ),
    ),
]
