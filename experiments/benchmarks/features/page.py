"""What was measured, as a table and as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from experiments.benchmarks.features.figures import CatalogueCost, FeatureBenchmarkResult
from experiments.benchmarks.features.growth import MedianRange
from experiments.benchmarks.features.verdicts import time_exponent, verdicts


def page(measured: Sequence[FeatureBenchmarkResult]) -> Group:
    """Return the whole result, to be printed by rich."""
    left_out = sorted({name for one in measured for name in one.left_out})
    compared = len(measured[0].compared)
    return Group(
        _catalogue_table(measured),
        _window_table(measured),
        f"Compared: {compared} windowed features of listings, equal bit for bit.",
        f"Not written by hand: {', '.join(left_out) or 'none'}.",
        *(verdict_lines(measured)),
    )


def verdict_lines(measured: Sequence[FeatureBenchmarkResult]) -> list[str]:
    """Return a line a bound: reached or not reached."""
    lines = [
        f"{'reached' if verdict.is_reached else 'not reached'}: {verdict.of} "
        f"{verdict.found:.2f}, at most {verdict.most:g}"
        for verdict in verdicts(measured)
    ]
    if time_exponent(measured) is None:
        lines.append("not measured: exponent of time over order lines needs two sizes")
    return lines


def _catalogue_table(measured: Sequence[FeatureBenchmarkResult]) -> Table:
    typical = [_typical_run(one) for one in measured]
    both = list(zip(measured, typical, strict=True))
    rows = {
        "spine rows": [f"{cost.spine_rows:,}" for cost in typical],
        "columns": [str(cost.columns) for cost in typical],
        "seconds": [_format_range(one.seconds, "{:.1f}") for one in measured],
        "CPU s": [f"{cost.cpu_seconds:.1f}" for cost in typical],
        "of them spine": [f"{cost.spine_seconds:.1f}" for cost in typical],
        "base": [f"{cost.base_seconds:.1f}" for cost in typical],
        "derived": [f"{cost.derived_seconds:.1f}" for cost in typical],
        "lines/s": [f"{one.order_lines / one.seconds.median:,.0f}" for one in measured],
        "rows/s": [f"{cost.spine_rows / one.seconds.median:,.0f}" for one, cost in both],
        "peak GB": [f"{one.peak_gb:.2f}" for one in measured],
    }
    return _table_by_size("Full catalogue", measured, rows)


def _typical_run(one: FeatureBenchmarkResult) -> CatalogueCost:
    """Return the run whose seconds are nearest to the median."""
    return min(one.catalogue, key=lambda run: abs(run.seconds - one.seconds.median))


def _window_table(measured: Sequence[FeatureBenchmarkResult]) -> Table:
    ours = [MedianRange.of([run.interpreter.seconds for run in one.windows]) for one in measured]
    by_hand = [MedianRange.of([run.sql.seconds for run in one.windows]) for one in measured]
    rows = {
        "interpreter s": [_format_range(seconds, "{:.2f}") for seconds in ours],
        "SQL by hand s": [_format_range(seconds, "{:.2f}") for seconds in by_hand],
        "ratio": [_format_range(one.ratio, "{:.2f}") for one in measured],
        "CPU ratio": [_format_range(one.cpu_ratio, "{:.2f}") for one in measured],
    }
    return _table_by_size("Windowed features of listings", measured, rows)


def _table_by_size(
    title: str, measured: Sequence[FeatureBenchmarkResult], rows: Mapping[str, Sequence[str]]
) -> Table:
    """Return a column a market, which a terminal of 80 columns has room for."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("order lines", no_wrap=True)
    for one in measured:
        table.add_column(f"{one.order_lines:,}", justify="right")
    for heading, cells in rows.items():
        table.add_row(heading, *cells)
    return table


def _format_range(spread: MedianRange, form: str) -> str:
    """Say the median, and the range where there is one."""
    middle = form.format(spread.median)
    if spread.least == spread.greatest:
        return middle
    return f"{middle} ({form.format(spread.least)} to {form.format(spread.greatest)})"
