"""Measure all market sizes, each run in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import pyarrow.parquet as pq

from experiments.benchmarks.features.catalogue_cost import measure_catalogue
from experiments.benchmarks.features.figures import FeatureBenchmarkResult
from experiments.benchmarks.features.listing_windows import compare_windows
from experiments.benchmarks.markets import ensure_market
from features.runtime.progress import ProgressCallback

FULL_SIZE: Final = 10_000_000
"""Order lines for which `spine_rows` are configured; other sizes scale them."""

Args = ParamSpec("Args")
Result = TypeVar("Result")


@dataclass(frozen=True)
class FeatureBenchmarkConfig:
    """Market sizes in order lines, spine rows at the full size, runs, and the directory."""

    lines: Sequence[int]
    spine_rows: int
    repeats: int
    work: Path

    def scale_spine_rows(self, lines: int) -> int:
        """Return the spine rows of a market, in proportion to its order lines."""
        return max(round(self.spine_rows * lines / FULL_SIZE), 1)


def measure(
    config: FeatureBenchmarkConfig, progress: ProgressCallback
) -> tuple[FeatureBenchmarkResult, ...]:
    """Measure each size, from small to large, and report each step."""
    config.work.mkdir(parents=True, exist_ok=True)
    return tuple(_measure(config, lines, progress) for lines in sorted(set(config.lines)))


def _measure(
    config: FeatureBenchmarkConfig, lines: int, progress: ProgressCallback
) -> FeatureBenchmarkResult:
    size, rows = f"{lines:,} order lines", config.scale_spine_rows(lines)
    progress(f"{size}: making the market")
    validated = run_in_child(ensure_market, lines, config.work)
    costs = []
    for number in range(config.repeats):
        progress(f"{size}: full catalogue, run {number + 1} of {config.repeats}")
        costs.append(run_in_child(measure_catalogue, validated, rows))
    progress(f"{size}: windowed features of listings, {config.repeats} runs")
    compared = run_in_child(compare_windows, validated, rows, config.repeats)
    return FeatureBenchmarkResult(
        order_lines=pq.read_metadata(validated / "orders.parquet").num_rows,
        catalogue=tuple(costs),
        windows=compared.costs,
        compared=compared.features,
        left_out=compared.left_out,
    )


def run_in_child(work: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """Run a function in a new process, so that its peak memory is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(work, *args, **kwargs).result()
