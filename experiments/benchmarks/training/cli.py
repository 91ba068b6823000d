"""The command that measures the cost of training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench_training(
    preset: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    repeats: Annotated[int, typer.Option(min=1, help="Runs of every measurement.")] = 3,
    dask: Annotated[
        bool, typer.Option("--dask", help="Also measure a cluster of two local workers.")
    ] = False,
    stages: Annotated[
        bool, typer.Option("--stages", help="Also measure the main job's memory and time by stage.")
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

    Both ways take turns in one process and must fit the same boosters. The last lines say which
    bounds are reached; the exit code is 0 either way, because times depend on the machine.
    """
    import sys

    from experiments.benchmarks.results.output import print_benchmark
    from experiments.benchmarks.training.benchmark import (
        ClusterFactory,
        TrainingBenchmarkConfig,
        measure,
    )
    from experiments.benchmarks.training.page import as_document, page
    from experiments.simulator.configuration.configuration import configure
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress
    from features.runtime.settings import load_section
    from training.settings import TrainingSettings

    cluster: ClusterFactory | None = None
    if dask:
        from training.boosting.dask_fitting import DaskFitter

        cluster = DaskFitter
    settings = load_section(TrainingSettings, "training", config)
    main_job = None
    if stages:
        options = ("--config", str(config)) if config else ()
        main_job = (sys.executable, "-m", "xuanpin", "run", *options)
    bench_config = TrainingBenchmarkConfig(
        configure(preset), work, settings, repeats, cluster, main_job
    )
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        result = measure(bench_config, progress)
    print_benchmark(page(result), as_document(result), as_json=json)
