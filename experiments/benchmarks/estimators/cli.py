"""The command that compares the estimators with CatBoost on many tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench_estimators(
    tables: Annotated[int, typer.Option(min=0, max=1000, help="Number of made tables.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first made table.")] = 1000,
    max_rows: Annotated[
        int, typer.Option(min=1001, max=100_000, help="Most rows of a made table to learn from.")
    ] = 20_000,
    data: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Contract tables of a shop to try too."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Compare the estimators with CatBoost, plain LightGBM and shrinkage in log loss.

    Made tables differ widely in size, columns, effects and noise. Complete Journey takes part if it
    is installed (extra `public-data`), CatBoost likewise (extra `bench`). Exit codes: 0 done.
    """
    from dataclasses import asdict

    from experiments.benchmarks.estimators.benchmark import compare, run_benchmark
    from experiments.benchmarks.estimators.contestants import installed_contestants
    from experiments.benchmarks.estimators.made_tables import draw_table
    from experiments.benchmarks.estimators.page import show_scores
    from experiments.benchmarks.estimators.real_tables import read_journey, read_shop
    from experiments.benchmarks.results.output import print_benchmark
    from features.runtime.progress import show_progress

    contestants, no_catboost = installed_contestants()
    journey, no_journey = read_journey()
    real = [*journey, *(read_shop(data) if data else [])]
    made = [draw_table(seed + number, max_rows) for number in range(tables)]
    with show_progress() as progress:
        scores = run_benchmark([*made, *real], contestants, progress)
    comparison = compare(scores)
    notes = [note for note in (no_catboost, no_journey) if note]
    document = {
        "tables": [asdict(one) for one in scores],
        "comparison": asdict(comparison) if comparison else None,
        "notes": notes,
    }
    print_benchmark(show_scores(scores, comparison, notes), document, as_json=json)
