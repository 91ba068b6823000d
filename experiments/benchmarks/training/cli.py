"""The command that measures what training costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench_training(
    preset: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    repeats: Annotated[int, typer.Option(min=1, help="Runs of everything measured.")] = 3,
    dask: Annotated[
        bool, typer.Option("--dask", help="Measure a cluster of two local workers too.")
    ] = False,
    work: Annotated[
        Path, typer.Option(help="Directory that keeps the market for the next run.")
    ] = Path("var/bench"),
    config: Annotated[
        Path | None, typer.Option(help="TOML file with settings of the training.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Measure the fit of estimators and main job beside bare LightGBM with the same trees.

    Both ways take turns in one process and must come to the same boosters. Exit code 0 whether or
    not the bounds are reached: they are figures of a machine, and the lines say which hold.
    """
    from json import dumps

    from experiments.benchmarks.training.benchmark import (
        ClusterFactory,
        TrainingBenchmarkConfig,
        measure,
    )
    from experiments.benchmarks.training.page import as_document, page
    from experiments.simulator.configuration.configuration import configure
    from features.runtime.console import print_results
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress
    from features.runtime.settings import load_section
    from training.settings import TrainingSettings

    cluster: ClusterFactory | None = None
    if dask:
        from training.boosting.dask_fitting import DaskFitter

        cluster = DaskFitter
    settings = load_section(TrainingSettings, "training", config)
    work.mkdir(parents=True, exist_ok=True)
    plan = TrainingBenchmarkConfig(configure(preset), work, settings, repeats, cluster)
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        measured = measure(plan, progress)
    if json:
        typer.echo(dumps(as_document(measured)))
    else:
        print_results(page(measured))
