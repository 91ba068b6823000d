"""The command that measures how far off the rates of unripe cohorts are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench_unripe(
    preset: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Markets, with seeds from 0 on.")] = 3,
    work: Annotated[
        Path, typer.Option(help="Directory that keeps the markets for the next run.")
    ] = Path("var/bench"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Compare return and repurchase rates read soon after a week with what came of that week.

    Beside what the features say stands the naive figure: what came back so far per sale so far.
    Exit code 0 whether or not the bound is reached: the lines say which.
    """
    from json import dumps

    from experiments.benchmarks.unripe.benchmark import CohortBenchmarkConfig, measure
    from experiments.benchmarks.unripe.page import as_document, page
    from experiments.simulator.configuration.configuration import configure
    from features.runtime.console import print_results
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress

    markets = [configure(preset, seed=seed) for seed in range(seeds)]
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        found = measure(CohortBenchmarkConfig(markets, work), progress)
    if json:
        typer.echo(dumps(as_document(found)))
    else:
        print_results(page(found))
