"""The command `xuanpin bench online`."""

from __future__ import annotations

from typing import Annotated

import typer


def bench_online(
    keys: Annotated[int, typer.Option(min=1_000, help="Keys of the snapshot.")] = 1_000_000,
    requests: Annotated[
        int, typer.Option(min=200, help="Requests of 100 candidates to answer.")
    ] = 1_000,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Measure the online snapshot: opening it, a worker's memory, look-up and derived features.

    The same run also measures the same vectors in a dict of numpy rows in memory.
    """
    from rich.table import Table

    from experiments.benchmarks.online.benchmark import bench_snapshot
    from features.runtime.console import print_results
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress

    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        result = bench_snapshot(keys, requests, progress)
    if json:
        typer.echo(result.to_json(), nl=False)
        return
    table = Table("measure", "value")
    for name, value in result.facts().items():
        table.add_row(name, f"{value:,}")
    print_results(table)
