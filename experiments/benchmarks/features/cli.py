"""The command that measures the cost of features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench_features(
    lines: Annotated[
        list[int] | None,
        typer.Option(
            min=100,
            help="Order lines of a market; give it several times.",
            show_default="1, 2, 5 and 10 million",
        ),
    ] = None,
    spine_rows: Annotated[
        int, typer.Option(min=1, help="Spine rows at 10 million order lines; scaled for others.")
    ] = 500_000,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of every measurement.")] = 3,
    work: Annotated[
        Path, typer.Option(help="Directory that keeps the markets for the next run.")
    ] = Path("var/bench"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Measure time and memory of the full catalogue, and of SQL written by hand beside it.

    Markets are simulated: larger ones have more listings and the same days. The last lines say
    which bounds are reached; the exit code is 0 either way, because times depend on the machine.
    """
    from experiments.benchmarks.features.benchmark import FeatureBenchmarkConfig, measure
    from experiments.benchmarks.features.page import page
    from experiments.benchmarks.features.verdicts import as_document
    from experiments.benchmarks.results.output import print_benchmark
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress

    sizes = lines or [1_000_000, 2_000_000, 5_000_000, 10_000_000]
    config = FeatureBenchmarkConfig(lines=sizes, spine_rows=spine_rows, repeats=repeats, work=work)
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        results = measure(config, progress)
    print_benchmark(page(results), as_document(results), as_json=json)
