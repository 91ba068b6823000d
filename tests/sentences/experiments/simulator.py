"""Sentences of the simulator's errors."""

from __future__ import annotations

from pathlib import Path

from experiments.simulator.configuration.configuration import BadSimulationError, UnknownPresetError
from experiments.simulator.truth.reader import (
    NoTruthError,
    UnknownAttributeError,
    UnknownCandidateError,
)
from features.runtime.errors import XuanpinError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        BadSimulationError("days", "Input should be greater than or equal to 60"),
        (
            "The configuration of the market is invalid at days: Input should be greater than or "
            "equal to 60. docs/market.md lists the sections, keys and limits."
        ),
    ),
    (
        UnknownPresetError("huge"),
        (
            "There is no preset huge. Choose small, medium, large, or give --products, "
            "--markets and --days."
        ),
    ),
    (
        NoTruthError(Path("out/market-truth")),
        (
            "The directory market-truth doesn't hold the truth of a simulated market. Name the "
            "directory DATA-truth that `xuanpin simulate --out DATA` wrote."
        ),
    ),
    (
        UnknownCandidateError("L99999999-US", "no such product and market"),
        (
            "The simulated market has no candidate L99999999-US: no such product and market. "
            "Name a candidate such as L00000012-US; the truth's table `candidates` lists all, "
            "with their first days."
        ),
    ),
    (
        UnknownAttributeError("colour", ["language", "size_chart"]),
        (
            "The candidate has no attribute colour. Change one of language, size_chart; "
            "a certificate that no market demands has no effect."
        ),
    ),
]
