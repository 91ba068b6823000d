"""What was measured of training, as tables, as sentences and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from rich.console import Group
from rich.table import Table

from experiments.benchmarks.features.growth import MedianRange
from experiments.benchmarks.features.verdicts import Verdict
from experiments.benchmarks.training.benchmark import TrainingBenchmarkResult
from experiments.benchmarks.training.engines import EngineComparison
from experiments.benchmarks.training.timing import TimingComparison

MAX_RATIO: Final = 1.3
"""Our time over that of bare LightGBM for the same trees."""
MAX_LOSS_DIFFERENCE: Final = 0.01
"""Of a cluster's log loss from this machine's, as a share of it."""


def page(measured: TrainingBenchmarkResult) -> Group:
    """Return the whole result, to be printed by rich."""
    tables = [_bare_table(measured.compared)]
    if measured.engines is not None:
        tables.append(_engine_table(measured.engines))
    return Group(*tables, *verdict_lines(measured))


def verdicts(measured: TrainingBenchmarkResult) -> list[Verdict]:
    """Hold medians against the bounds; times count twice, on the wall and on the processors."""
    found = [
        Verdict(f"{one.name} / bare LightGBM, median {clock} time", ratio.median, MAX_RATIO)
        for one in measured.compared
        for clock, ratio in (("wall", one.ratio), ("CPU", one.cpu_ratio))
    ]
    if measured.engines is not None:
        found += [
            Verdict(f"{target}: share that a cluster's log loss is off", off, MAX_LOSS_DIFFERENCE)
            for target, off in _relative_loss_differences(measured.engines).items()
        ]
    return found


def verdict_lines(measured: TrainingBenchmarkResult) -> list[str]:
    """Return a line a bound: reached or not reached."""
    return [
        f"{'reached' if verdict.is_reached else 'not reached'}: {verdict.of} "
        f"{verdict.found:.4g}, at most {verdict.most:g}"
        for verdict in verdicts(measured)
    ]


def as_document(measured: TrainingBenchmarkResult) -> dict[str, Any]:
    """Return everything measured as values that JSON can hold."""
    return {
        "rows": measured.rows,
        "compared": [
            {**asdict(one), "ratio": asdict(one.ratio), "cpu_ratio": asdict(one.cpu_ratio)}
            for one in measured.compared
        ],
        "engines": None if measured.engines is None else asdict(measured.engines),
        "verdicts": [
            {**asdict(verdict), "is_reached": verdict.is_reached} for verdict in verdicts(measured)
        ],
    }


def _bare_table(compared: tuple[TimingComparison, ...]) -> Table:
    table = Table(title="The same trees by us and by bare LightGBM", title_justify="left")
    table.add_column("fit")
    headings = ("rows", "inputs", "trees", "seconds", "bare s", "ratio", "CPU s", "CPU ratio")
    for heading in headings:
        table.add_column(heading, justify="right")
    for one in compared:
        table.add_row(
            one.name,
            f"{one.rows:,}",
            str(one.inputs),
            f"{one.trees:,}",
            _format_range(MedianRange.of([pair.ours.seconds for pair in one.pairs]), "{:.2f}"),
            _format_range(MedianRange.of([pair.bare.seconds for pair in one.pairs]), "{:.2f}"),
            _format_range(one.ratio, "{:.2f}"),
            _format_range(MedianRange.of([pair.ours.cpu_seconds for pair in one.pairs]), "{:.2f}"),
            _format_range(one.cpu_ratio, "{:.2f}"),
        )
    return table


def _engine_table(engines: EngineComparison) -> Table:
    table = Table(title="The main job's boosters, by engine", title_justify="left")
    table.add_column("engine")
    table.add_column("seconds", justify="right")
    for target in engines.here_loss:
        table.add_column(f"log loss {target}", justify="right")
    here = [f"{loss:.5f}" for loss in engines.here_loss.values()]
    there = [_format_range(loss, "{:.5f}") for loss in engines.cluster_loss.values()]
    table.add_row("local", _format_range(engines.here_seconds, "{:.1f}"), *here)
    table.add_row("dask", _format_range(engines.cluster_seconds, "{:.1f}"), *there)
    return table


def _relative_loss_differences(engines: EngineComparison) -> dict[str, float]:
    return {
        target: abs(engines.cluster_loss[target].median / loss - 1)
        for target, loss in engines.here_loss.items()
    }


def _format_range(spread: MedianRange, form: str) -> str:
    """Say the median, and the range where there is one."""
    middle = form.format(spread.median)
    if spread.least == spread.greatest:
        return middle
    return f"{middle} ({form.format(spread.least)} to {form.format(spread.greatest)})"
