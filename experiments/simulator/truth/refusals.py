"""Errors of those who ask for a truth that isn't there."""

from __future__ import annotations

from pathlib import Path

from features.runtime.errors import DataError


class NoTruthError(DataError):
    """Refuse a directory that holds no truth."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            expected="the truth of a simulated market",
            found=f"none in {directory.name}",
            way_out="Name the directory DATA-truth that `xuanpin simulate --out DATA` wrote.",
        )


class UnknownCandidateError(DataError):
    """Refuse a candidate that the market doesn't have."""

    def __init__(self, listing_id: str, why: str) -> None:
        super().__init__(
            expected="a candidate of the simulated market, such as L00000012-US",
            found=f"{listing_id}: {why}",
            way_out="The truth's table `candidates` lists all with their first days.",
        )


class UnknownAttributeError(DataError):
    """Refuse to change what a candidate doesn't have."""

    def __init__(self, attribute: str, known: list[str]) -> None:
        super().__init__(
            expected=f"an attribute out of {', '.join(known)}",
            found=attribute[:40],
            way_out="Change one of those; a certificate that no market demands has no effect.",
        )
