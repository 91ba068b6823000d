"""The command that measures the bias of early rates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench_unripe(
    preset: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Number of markets: seeds 0, 1 …")] = 3,
    work: Annotated[
        Path, typer.Option(help="Directory that keeps the markets for the next run.")
    ] = Path("var/bench"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Compare the return and repurchase rates of a week, read soon after it, with the mature rates.

    The naive rate is shown for comparison: returns so far per sale so far. The last lines say
    whether the bound is reached; the exit code is 0 either way.
    """
    from experiments.benchmarks.results.output import print_benchmark
    from experiments.benchmarks.unripe.benchmark import CohortBenchmarkConfig, measure
    from experiments.benchmarks.unripe.page import as_document, page
    from experiments.simulator.configuration.configuration import configure
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress

    markets = [configure(preset, seed=seed) for seed in range(seeds)]
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        results = measure(CohortBenchmarkConfig(markets, work), progress)
    print_benchmark(page(results), as_document(results), as_json=json)
