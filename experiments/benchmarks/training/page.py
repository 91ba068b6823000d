"""The cost of training as tables, as sentences and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from rich.console import Group
from rich.table import Table

from experiments.benchmarks.results.figures import MedianRange
from experiments.benchmarks.results.verdicts import Verdict, verdict_documents
from experiments.benchmarks.training.benchmark import TrainingBenchmarkResult
from experiments.benchmarks.training.engines import EngineComparison
from experiments.benchmarks.training.timing import TimingComparison

MAX_RATIO: Final = 1.3
"""Bound on the product's time over that of bare LightGBM for the same trees."""
MEGABYTE: Final = 1_000_000
MAX_LOSS_DIFFERENCE: Final = 0.01
"""Bound on the difference of a cluster's log loss from this machine's, as a share of it."""


def page(result: TrainingBenchmarkResult) -> Group:
    """Return the whole result, for rich to print."""
    tables = [_bare_table(result.compared)]
    if result.engines is not None:
        tables.append(_engine_table(result.engines))
    if result.stages:
        tables.append(_stage_table(result))
    return Group(*tables, *verdict_lines(result))


def judge_training(result: TrainingBenchmarkResult) -> list[Verdict]:
    """Compare medians with their bounds: wall time, processor time, and a cluster's loss."""
    verdicts = [
        Verdict(f"{timing.name} / bare LightGBM, median {clock} time", ratio.median, MAX_RATIO)
        for timing in result.compared
        for clock, ratio in (("wall", timing.ratio), ("CPU", timing.cpu_ratio))
    ]
    if result.engines is not None:
        verdicts += [
            Verdict(
                f"{target}: difference of the cluster's log loss, as a share of the local one",
                difference,
                MAX_LOSS_DIFFERENCE,
            )
            for target, difference in _relative_loss_differences(result.engines).items()
        ]
    return verdicts


def verdict_lines(result: TrainingBenchmarkResult) -> list[str]:
    """Return a line for each bound: reached or not reached."""
    return [verdict.describe("{:.4g}") for verdict in judge_training(result)]


def as_document(result: TrainingBenchmarkResult) -> dict[str, Any]:
    """Return the whole result as values that JSON can hold."""
    return {
        "rows": result.rows,
        "compared": [
            {**asdict(timing), "ratio": asdict(timing.ratio), "cpu_ratio": asdict(timing.cpu_ratio)}
            for timing in result.compared
        ],
        "engines": None if result.engines is None else asdict(result.engines),
        "stages": [asdict(cost) for cost in result.stages],
        "matrix_bytes": result.matrix_bytes,
        "verdicts": verdict_documents(judge_training(result)),
    }


def _bare_table(compared: tuple[TimingComparison, ...]) -> Table:
    table = Table(title="The same trees by the product and by bare LightGBM", title_justify="left")
    table.add_column("fit")
    headings = ("rows", "inputs", "trees", "seconds", "bare s", "ratio", "CPU s", "CPU ratio")
    for heading in headings:
        table.add_column(heading, justify="right")
    for timing in compared:
        figures = (
            MedianRange.from_values([pair.product.seconds for pair in timing.pairs]),
            MedianRange.from_values([pair.bare.seconds for pair in timing.pairs]),
            timing.ratio,
            MedianRange.from_values([pair.product.cpu_seconds for pair in timing.pairs]),
            timing.cpu_ratio,
        )
        table.add_row(
            timing.name,
            f"{timing.rows:,}",
            str(timing.inputs),
            f"{timing.trees:,}",
            *(figure.format("{:.2f}") for figure in figures),
        )
    return table


def _engine_table(engines: EngineComparison) -> Table:
    table = Table(title="The main job's boosters, by engine", title_justify="left")
    table.add_column("engine")
    table.add_column("seconds", justify="right")
    for target in engines.local_loss:
        table.add_column(f"log loss {target}", justify="right")
    local = [f"{loss:.5f}" for loss in engines.local_loss.values()]
    cluster = [loss.format("{:.5f}") for loss in engines.cluster_loss.values()]
    table.add_row("local", engines.local_seconds.format("{:.1f}"), *local)
    table.add_row("dask", engines.cluster_seconds.format("{:.1f}"), *cluster)
    return table


def _stage_table(result: TrainingBenchmarkResult) -> Table:
    title = f"The main job by stage; the design matrix has {result.matrix_bytes / MEGABYTE:,.0f} MB"
    table = Table(title=title, title_justify="left")
    table.add_column("stage")
    for heading in ("seconds", "peak MB", "peak / matrix"):
        table.add_column(heading, justify="right")
    for cost in result.stages:
        table.add_row(
            cost.name,
            f"{cost.seconds:.1f}",
            f"{cost.peak_bytes / MEGABYTE:,.0f}",
            f"{cost.peak_bytes / result.matrix_bytes:.1f}",
        )
    return table


def _relative_loss_differences(engines: EngineComparison) -> dict[str, float]:
    return {
        target: abs(engines.cluster_loss[target].median / loss - 1)
        for target, loss in engines.local_loss.items()
    }
