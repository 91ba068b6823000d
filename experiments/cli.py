"""Commands of the experiments: the main job, the simulated market, the benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.benchmarks.complete_journey.cli import bench_complete_journey
from experiments.benchmarks.features.cli import bench_features
from experiments.benchmarks.models.cli import bench_models
from experiments.benchmarks.objectives.cli import bench_objectives
from experiments.benchmarks.online.cli import bench_online
from experiments.benchmarks.training.cli import bench_training
from experiments.benchmarks.unripe.cli import bench_unripe
from experiments.simulator.cli import bench_truth, plot_market, simulate

run_app = typer.Typer()


@run_app.command("run", epilog="Example: xuanpin run --data data --out var/run")
def run(
    data: Annotated[Path, typer.Option(help="Directory with the source tables.")],
    out: Annotated[Path, typer.Option(help="Run directory; what it holds is kept or replaced.")] = (
        Path("var/run")
    ),
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as JSON and nothing else.")
    ] = False,
) -> None:
    """Do the main job: check, features, train, evaluate, publish, score unseen candidates.

    Exit codes: 0 done; 2 wrong usage or settings; 3 a table is broken; 4 the data can't support a
    model; 5 an artefact was refused; 6 the disk or the tracking server refused, or another process
    is at work in the run directory.

    Killed, it goes on when it is started again, from the stages of training that were finished.
    """
    from rich.console import Console

    from features.dataset.horizons import Horizons
    from features.runtime.progress import show_progress
    from features.runtime.settings import load_section
    from training.pipeline.job import TrainingJob
    from training.pipeline.main_job import run as run_job
    from training.pipeline.run_summary import describe_locations, encode_result, summarise_run
    from training.settings import TrainingSettings

    job = TrainingJob(
        source=data,
        out=out,
        horizons=load_section(Horizons, "horizons", config),
        settings=load_section(TrainingSettings, "training", config),
    )
    with show_progress() as progress:
        result = run_job(job, progress)
    if json:
        typer.echo(encode_result(result), nl=False)
    else:
        Console(highlight=False).print(summarise_run(result))
        typer.echo(describe_locations(result))


market_app = typer.Typer()
market_app.command("simulate", epilog="Example: xuanpin simulate --out market --preset small")(
    simulate
)

bench_app = typer.Typer(name="bench", help="Measure accuracy against known truth, and costs.")


@bench_app.callback()
def bench_group() -> None:
    """Measure accuracy against known truth, and costs."""


bench_app.command("truth", epilog="Example: xuanpin bench truth market")(bench_truth)
bench_app.command("complete-journey", epilog="Example: xuanpin bench complete-journey --seeds 1")(
    bench_complete_journey
)
bench_app.command("pictures", epilog="Example: xuanpin bench pictures market --out docs/market")(
    plot_market
)
bench_app.command("features", epilog="Example: xuanpin bench features --lines 1000000")(
    bench_features
)
bench_app.command("online", epilog="Example: xuanpin bench online --keys 1000000")(bench_online)
bench_app.command("models", epilog="Example: xuanpin bench models --preset small --seeds 1")(
    bench_models
)
bench_app.command(
    "objectives", epilog="Example: xuanpin bench objectives --seeds 3 --data data --origins 3"
)(bench_objectives)
bench_app.command("unripe", epilog="Example: xuanpin bench unripe --seeds 1")(bench_unripe)
bench_app.command("training", epilog="Example: xuanpin bench training --repeats 3 --dask")(
    bench_training
)
