"""Compare the measured costs with their bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from experiments.benchmarks.features.figures import FeatureBenchmarkResult
from experiments.benchmarks.results.verdicts import Verdict, verdict_documents

MAX_RATIO: Final = 1.5
"""Bound on the interpreter's time over that of SQL written by hand."""
MAX_EXPONENT: Final = 1.15
MAX_MEMORY_GB: Final = 6.0


def growth_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float | None:
    """Return the b of `cost = a * size ** b`: the least-squares slope of logs over logs.

    1 is proportional growth. None without two different sizes, for which there is no slope.
    """
    if len(set(sizes)) < 2:  # noqa: PLR2004 - two points make a line
        return None
    slope, _ = np.polyfit(np.log(sizes), np.log(costs), 1)
    return float(slope)


def time_exponent(results: Sequence[FeatureBenchmarkResult]) -> float | None:
    """Return how the catalogue's wall time grows with order lines."""
    return growth_exponent(_sizes(results), [result.seconds.median for result in results])


def cpu_exponent(results: Sequence[FeatureBenchmarkResult]) -> float | None:
    """Return how the catalogue's processor time grows with order lines."""
    return growth_exponent(_sizes(results), [result.cpu_seconds.median for result in results])


def _sizes(results: Sequence[FeatureBenchmarkResult]) -> list[float]:
    return [float(result.order_lines) for result in results]


def judge_costs(results: Sequence[FeatureBenchmarkResult]) -> tuple[Verdict, ...]:
    """Compare ratios, peak memory and growth with their bounds; memory is the largest market's.

    Wall time and processor time are both judged: on a shared machine trust only what both say.
    """
    largest = max(results, key=lambda result: result.order_lines)
    size = f"{largest.order_lines:,} order lines x {largest.catalogue[0].spine_rows:,} spine rows"
    memory = Verdict(f"peak memory in GB, {size}", largest.peak_gb, MAX_MEMORY_GB)
    slopes = {"wall": time_exponent(results), "CPU": cpu_exponent(results)}
    return (
        *(verdict for result in results for verdict in _judge_ratios(result)),
        memory,
        *(
            Verdict(f"exponent of {clock} time over order lines", slope, MAX_EXPONENT)
            for clock, slope in slopes.items()
            if slope is not None
        ),
    )


def _judge_ratios(result: FeatureBenchmarkResult) -> tuple[Verdict, ...]:
    return tuple(
        Verdict(
            f"interpreter / SQL by hand, median {clock} time, {result.order_lines:,} order lines",
            ratio.median,
            MAX_RATIO,
        )
        for clock, ratio in (("wall", result.ratio), ("CPU", result.cpu_ratio))
    )


def as_document(results: Sequence[FeatureBenchmarkResult]) -> dict[str, Any]:
    """Return all results as values that JSON can hold."""
    return {
        "measured": [
            {
                **asdict(result),
                "seconds": asdict(result.seconds),
                "peak_gb": result.peak_gb,
                "ratio": asdict(result.ratio),
                "cpu_ratio": asdict(result.cpu_ratio),
            }
            for result in results
        ],
        "time_exponent": time_exponent(results),
        "cpu_exponent": cpu_exponent(results),
        "verdicts": verdict_documents(judge_costs(results)),
    }
