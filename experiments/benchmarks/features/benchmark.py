"""Measuring all sizes, each run in a process of its own."""

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
from experiments.benchmarks.features.markets import ensure_market
from features.runtime.progress import ProgressCallback

FULL_SIZE: Final = 10_000_000
"""The order lines that the asked number of spine rows belongs to."""

Args = ParamSpec("Args")
Result = TypeVar("Result")


@dataclass(frozen=True)
class FeatureBenchmarkConfig:
    """What to measure: sizes in order lines, spine rows at the full size, runs, and where."""

    lines: Sequence[int]
    spine_rows: int
    repeats: int
    work: Path

    def scale_spine_rows(self, lines: int) -> int:
        """Return the spine rows of a market: proportional, so that only the size differs."""
        return max(round(self.spine_rows * lines / FULL_SIZE), 1)


def measure(
    plan: FeatureBenchmarkConfig, progress: ProgressCallback
) -> tuple[FeatureBenchmarkResult, ...]:
    """Measure each size, from small to large; `progress` hears what is being done."""
    plan.work.mkdir(parents=True, exist_ok=True)
    return tuple(_measure(plan, lines, progress) for lines in sorted(set(plan.lines)))


def _measure(
    plan: FeatureBenchmarkConfig, lines: int, progress: ProgressCallback
) -> FeatureBenchmarkResult:
    size, rows = f"{lines:,} order lines", plan.scale_spine_rows(lines)
    progress(f"{size}: making the market")
    validated = run_in_child(ensure_market, lines, plan.work)
    costs = []
    for number in range(plan.repeats):
        progress(f"{size}: full catalogue, run {number + 1} of {plan.repeats}")
        costs.append(run_in_child(measure_catalogue, validated, rows))
    progress(f"{size}: windowed features of listings, {plan.repeats} runs")
    compared = run_in_child(compare_windows, validated, rows, plan.repeats)
    return FeatureBenchmarkResult(
        order_lines=pq.read_metadata(validated / "orders.parquet").num_rows,
        catalogue=tuple(costs),
        windows=compared.costs,
        compared=compared.features,
        left_out=compared.left_out,
    )


def run_in_child(work: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """Run a function in a new process, whose memory nothing else has touched."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(work, *args, **kwargs).result()
