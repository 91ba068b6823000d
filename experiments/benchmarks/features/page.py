"""The costs of features as tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from experiments.benchmarks.features.figures import CatalogueCost, FeatureBenchmarkResult
from experiments.benchmarks.features.verdicts import judge_costs, time_exponent
from experiments.benchmarks.results.figures import MedianRange


def page(results: Sequence[FeatureBenchmarkResult]) -> Group:
    """Return all results, for rich to print."""
    left_out = sorted({name for result in results for name in result.left_out})
    compared = len(results[0].compared)
    return Group(
        _catalogue_table(results),
        _window_table(results),
        f"Compared: {compared} windowed features of listings, equal bit for bit.",
        f"Not written by hand: {', '.join(left_out) or 'none'}.",
        *verdict_lines(results),
    )


def verdict_lines(results: Sequence[FeatureBenchmarkResult]) -> list[str]:
    """Return a line for each bound: reached or not reached."""
    lines = [verdict.describe("{:.2f}") for verdict in judge_costs(results)]
    if time_exponent(results) is None:
        lines.append("not measured: exponent of time over order lines needs two sizes")
    return lines


def _catalogue_table(results: Sequence[FeatureBenchmarkResult]) -> Table:
    typical = [_typical_run(result) for result in results]
    both = list(zip(results, typical, strict=True))
    rows = {
        "spine rows": [f"{cost.spine_rows:,}" for cost in typical],
        "columns": [str(cost.columns) for cost in typical],
        "seconds": [result.seconds.format("{:.1f}") for result in results],
        "CPU s": [f"{cost.cpu_seconds:.1f}" for cost in typical],
        "of them spine": [f"{cost.spine_seconds:.1f}" for cost in typical],
        "base": [f"{cost.base_seconds:.1f}" for cost in typical],
        "derived": [f"{cost.derived_seconds:.1f}" for cost in typical],
        "lines/s": [f"{result.order_lines / result.seconds.median:,.0f}" for result in results],
        "rows/s": [f"{cost.spine_rows / result.seconds.median:,.0f}" for result, cost in both],
        "peak GB": [f"{result.peak_gb:.2f}" for result in results],
    }
    return _table_by_size("Full catalogue", results, rows)


def _typical_run(result: FeatureBenchmarkResult) -> CatalogueCost:
    """Return the run whose seconds are nearest to the median."""
    return min(result.catalogue, key=lambda run: abs(run.seconds - result.seconds.median))


def _window_table(results: Sequence[FeatureBenchmarkResult]) -> Table:
    interpreter = [
        MedianRange.from_values([run.interpreter.seconds for run in result.windows])
        for result in results
    ]
    by_hand = [
        MedianRange.from_values([run.sql.seconds for run in result.windows]) for result in results
    ]
    rows = {
        "interpreter s": [seconds.format("{:.2f}") for seconds in interpreter],
        "SQL by hand s": [seconds.format("{:.2f}") for seconds in by_hand],
        "ratio": [result.ratio.format("{:.2f}") for result in results],
        "CPU ratio": [result.cpu_ratio.format("{:.2f}") for result in results],
    }
    return _table_by_size("Windowed features of listings", results, rows)


def _table_by_size(
    title: str, results: Sequence[FeatureBenchmarkResult], rows: Mapping[str, Sequence[str]]
) -> Table:
    """Return a table with a column for each market, which fits a terminal of 80 columns."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("order lines")
    for result in results:
        table.add_column(f"{result.order_lines:,}", justify="right")
    for heading, cells in rows.items():
        table.add_row(heading, *cells)
    return table
