"""The command that compares models with the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench_models(
    preset: Annotated[str, typer.Option(help="small, medium or large.")] = "medium",
    days: Annotated[
        int | None, typer.Option(help="Days of history; default: the preset's.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Number of markets: seeds 0, 1 …")] = 3,
    work: Annotated[
        Path, typer.Option(help="Directory that keeps the markets for the next run.")
    ] = Path("var/bench"),
    config: Annotated[
        Path | None, typer.Option(help="TOML file with settings of the training.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Train on simulated markets and compare with the truth that only the simulator knows.

    The share of the explainable gain is (loss of shrinkage - loss of model) / (loss of shrinkage -
    loss of the true expectation), on the latest slice. The last lines say which bounds are
    reached; the exit code is 0 either way.
    """
    from experiments.benchmarks.models.benchmark import ModelBenchmarkConfig, measure
    from experiments.benchmarks.models.page import as_document, page
    from experiments.benchmarks.results.output import print_benchmark
    from experiments.simulator.configuration.configuration import configure
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress
    from features.runtime.settings import load_section
    from training.settings import TrainingSettings

    settings = load_section(TrainingSettings, "training", config)
    markets = [configure(preset, days=days, seed=seed) for seed in range(seeds)]
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        results = measure(ModelBenchmarkConfig(markets, work, settings), progress)
    print_benchmark(page(results), as_document(results), as_json=json)
