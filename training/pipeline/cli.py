"""Commands of training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from training.boosting.engine import Engine, fitter_for

app = typer.Typer()

EXIT_CODES: Final = (
    "Exit codes: 0 done; 2 wrong usage or settings; 3 a table is broken; 4 the data can't support "
    "a model; 5 an artefact was refused; 6 the disk, the tracking server or a cluster refused, or "
    "another process is at work in the run directory.\n\n"
    "Example: xuanpin train --data data --out var/run"
)


@app.command("train", epilog=EXIT_CODES)
def train(
    data: Annotated[Path, typer.Option(help="Directory with the source tables.")],
    out: Annotated[Path, typer.Option(help="Run directory; what it holds is kept or replaced.")] = (
        Path("var/run")
    ),
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    engine: Annotated[
        Engine,
        typer.Option(
            help="local fits on this machine; dask on a cluster that reads the training rows "
            "itself (extra dask)."
        ),
    ] = Engine.LOCAL,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, such as tcp://host:8786; without one, two "
            "processes of this machine."
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Search for better settings, with so many trials in all."),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds after which no trial is begun any more; see --trials."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print what was learned as JSON and nothing else.")
    ] = False,
) -> None:
    """Train: check the tables, compute features, fit, judge, record in MLflow, publish the bundle.

    Killed and started again, it goes on from the stages that were finished,
    unless something that they depend on has changed, to the same bundle.
    """
    if timeout is not None and trials is None:
        raise typer.BadParameter("a timeout needs --trials", param_hint="--timeout")
    from rich.console import Console

    from features.dataset.horizons import Horizons
    from features.runtime.progress import show_progress
    from features.runtime.settings import load_section
    from training.pipeline.job import TrainingJob, TuningBudget, run_training
    from training.pipeline.summary import (
        build_document,
        format_json,
        list_locations,
        summarise_training,
    )
    from training.settings import TrainingSettings

    job = TrainingJob(
        source=data,
        out=out,
        horizons=load_section(Horizons, "horizons", config),
        settings=load_section(TrainingSettings, "training", config),
        cluster=fitter_for(engine, scheduler),
        tuning=None if trials is None else TuningBudget(trials=trials, timeout_seconds=timeout),
    )
    with show_progress() as progress:
        result = run_training(job, progress)
    if json:
        typer.echo(format_json(build_document(result)), nl=False)
    else:
        Console(highlight=False).print(summarise_training(result))
        typer.echo("\n".join(list_locations(result)))
