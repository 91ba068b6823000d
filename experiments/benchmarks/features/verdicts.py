"""What was measured, held against the bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from experiments.benchmarks.features.figures import FeatureBenchmarkResult
from experiments.benchmarks.features.growth import exponent

MAX_RATIO: Final = 1.5
"""The interpreter's time over that of SQL written by hand."""
MAX_EXPONENT: Final = 1.15
MAX_MEMORY_GB: Final = 6.0


@dataclass(frozen=True)
class Verdict:
    """A bound, what was found, and whether the bound holds."""

    of: str
    found: float
    most: float

    @property
    def is_reached(self) -> bool:
        """Tell whether the bound holds."""
        return self.found <= self.most


def time_exponent(measured: Sequence[FeatureBenchmarkResult]) -> float | None:
    """Return how the catalogue's wall time grows with order lines."""
    sizes = [float(one.order_lines) for one in measured]
    return exponent(sizes, [one.seconds.median for one in measured])


def cpu_exponent(measured: Sequence[FeatureBenchmarkResult]) -> float | None:
    """Return how the time of the processors grows with order lines."""
    sizes = [float(one.order_lines) for one in measured]
    return exponent(sizes, [one.cpu_seconds.median for one in measured])


def verdicts(measured: Sequence[FeatureBenchmarkResult]) -> tuple[Verdict, ...]:
    """Hold what was measured against the bounds; the largest market stands for memory.

    Times count twice, on the wall and on the processors: on a machine that is shared, only what
    holds for both holds.
    """
    largest = max(measured, key=lambda one: one.order_lines)
    size = f"{largest.order_lines:,} order lines x {largest.catalogue[0].spine_rows:,} spine rows"
    memory = Verdict(f"peak memory in GB, {size}", largest.peak_gb, MAX_MEMORY_GB)
    slopes = {"wall": time_exponent(measured), "CPU": cpu_exponent(measured)}
    return (
        *(verdict for one in measured for verdict in _ratio_verdicts(one)),
        memory,
        *(
            Verdict(f"exponent of {clock} time over order lines", slope, MAX_EXPONENT)
            for clock, slope in slopes.items()
            if slope is not None
        ),
    )


def _ratio_verdicts(one: FeatureBenchmarkResult) -> tuple[Verdict, ...]:
    return tuple(
        Verdict(
            f"interpreter / SQL by hand, median {clock} time, {one.order_lines:,} order lines",
            ratio.median,
            MAX_RATIO,
        )
        for clock, ratio in (("wall", one.ratio), ("CPU", one.cpu_ratio))
    )


def as_document(measured: Sequence[FeatureBenchmarkResult]) -> dict[str, Any]:
    """Return everything measured as values that JSON can hold."""
    return {
        "measured": [
            {
                **asdict(one),
                "seconds": asdict(one.seconds),
                "peak_gb": one.peak_gb,
                "ratio": asdict(one.ratio),
                "cpu_ratio": asdict(one.cpu_ratio),
            }
            for one in measured
        ],
        "time_exponent": time_exponent(measured),
        "cpu_exponent": cpu_exponent(measured),
        "verdicts": [
            {**asdict(verdict), "is_reached": verdict.is_reached} for verdict in verdicts(measured)
        ],
    }
