"""The commands `train` and `run`."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:  # the command line is listed without numpy
    from training.data.training_input import Fitter

app = typer.Typer()


class Engine(StrEnum):
    """Where boosters are fitted."""

    LOCAL = "local"
    DASK = "dask"


DataOption = Annotated[Path, typer.Option("--data", help="Directory with the source tables.")]
OutOption = Annotated[
    Path, typer.Option("--out", help="Run directory; finished stages in it are used again.")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="TOML file with settings.")]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--signing-key",
        help="PEM file with a private key: sign what is published, for a service with the setting "
        "public_key.",
    ),
]

DEFAULT_OUT: Final = Path("var/run")
MAX_ORIGINS: Final = 100

EXIT_CODES: Final = (
    "Exit codes: 0 done; 2 wrong usage or settings; 3 a table is broken; 4 the data can't support "
    "a model; 5 a bundle, a snapshot or a key was refused; 6 the disk, the tracking store or a "
    "cluster failed, or another process is training in the run directory."
)


@app.command(
    "train", epilog=f"{EXIT_CODES}\n\nExample: xuanpin train --data data --out {DEFAULT_OUT}"
)
def train(
    data: DataOption,
    out: OutOption = DEFAULT_OUT,
    config: ConfigOption = None,
    signing_key: KeyOption = None,
    engine: Annotated[
        Engine,
        typer.Option(
            help="Where to fit: local is this machine; dask is a cluster whose workers read the "
            "training rows themselves (needs the extra dask)."
        ),
    ] = Engine.LOCAL,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, such as tcp://host:8786. Without it, dask starts "
            "two processes on this machine."
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Search for better settings in this many trials."),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds after which --trials begins no further trial."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON and nothing else.")
    ] = False,
) -> None:
    """Train models: check tables, compute features, fit, evaluate, record, publish the bundle.

    A training that was killed and is started again reuses its finished stages, unless something
    that they depend on has changed. It ends with the same bundle.
    """
    from training.errors import TimeoutWithoutTrialsError

    if timeout is not None and trials is None:
        raise TimeoutWithoutTrialsError
    from features.dataset.horizons import Horizons
    from features.runtime.console import print_results
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
        signing_key=signing_key,
        cluster=choose_fitter(engine, scheduler),
        tuning=None if trials is None else TuningBudget(trials=trials, timeout_seconds=timeout),
    )
    with show_progress() as progress:
        result = run_training(job, progress)
    if json:
        typer.echo(format_json(build_document(result)), nl=False)
    else:
        print_results(summarise_training(result))
        typer.echo("\n".join(list_locations(result)))


def choose_fitter(engine: Engine, scheduler: str | None) -> Callable[[Path], Fitter] | None:
    """Return a function that makes a cluster's fitter from a file of training rows.

    None fits on this machine.

    Raises:
        SchedulerWithoutDaskError: a scheduler is given without `--engine dask`.
        DaskMissingError: the extra isn't installed.
    """
    if engine is Engine.LOCAL:
        if scheduler is not None:
            from training.errors import SchedulerWithoutDaskError

            raise SchedulerWithoutDaskError
        return None
    from training.boosting.dask_fitting import DaskFitter

    return partial(DaskFitter, scheduler=scheduler)


@app.command("run", epilog=f"{EXIT_CODES}\n\nExample: xuanpin run --data data --out {DEFAULT_OUT}")
def run(
    data: DataOption,
    out: OutOption = DEFAULT_OUT,
    config: ConfigOption = None,
    signing_key: KeyOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON and nothing else.")
    ] = False,
) -> None:
    """Do the main job: train, publish bundle and online snapshot, score new candidates.

    A run that was killed and is started again reuses the finished stages of its training.
    """
    from features.dataset.horizons import Horizons
    from features.runtime.console import print_results
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
        signing_key=signing_key,
    )
    with show_progress() as progress:
        result = run_job(job, progress)
    if json:
        typer.echo(encode_result(result), nl=False)
    else:
        print_results(summarise_run(result))
        typer.echo(describe_locations(result))


@app.command(
    "backtest",
    epilog=f"{EXIT_CODES}\n\nExample: xuanpin backtest --data data --out {DEFAULT_OUT} --origins 4",
)
def backtest(
    data: DataOption,
    out: OutOption = DEFAULT_OUT,
    config: ConfigOption = None,
    origins: Annotated[
        int,
        typer.Option(
            min=1,
            max=MAX_ORIGINS,
            help="Number of past moments; each is the setting latest_days before the next one.",
        ),
    ] = 4,
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON and nothing else.")
    ] = False,
) -> None:
    """Repeat the training at past moments, and judge each model on what came after it.

    Each training knows only what was known at its moment. Tables, a picture and JSON are written
    into the run directory. A backtest that was killed and is started again reuses finished origins.
    """
    from features.dataset.horizons import Horizons
    from features.runtime.console import print_results
    from features.runtime.progress import show_progress
    from features.runtime.settings import load_section
    from training.backtest.backtest import BacktestJob, run_backtest
    from training.backtest.files import list_files
    from training.backtest.page import backtest_page
    from training.backtest.result import encode_result
    from training.settings import TrainingSettings
    from training.tracking.store import show_record

    job = BacktestJob(
        source=data,
        out=out,
        horizons=load_section(Horizons, "horizons", config),
        settings=load_section(TrainingSettings, "training", config),
        origins=origins,
    )
    with show_progress() as progress:
        result = run_backtest(job, progress)
    if json:
        typer.echo(encode_result(result.backtest).decode(), nl=False)
    else:
        print_results(backtest_page(result.backtest))
        record = f"MLflow    run {result.run_id}: {show_record(result.location)}"
        typer.echo("\n".join([*list_files(out), record]))
