"""The command line `xuanpin`: all commands, and one way to report errors."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
import warnings
from typing import Annotated, Final, NoReturn

import typer

import experiments.cli
import features.cli
import features.importers.cli
import features.validation.cli
import serving.api.cli
import serving.api.keys_cli
import serving.bundle.cli
import serving.decision_log.cli
import training.pipeline.cli
from features.runtime.arguments import refuse_broken_arguments
from features.runtime.errors import XuanpinError
from features.runtime.output import accept_any_text
from features.runtime.refusals import as_engine_error, as_storage_error
from features.runtime.stop_signals import EXIT_BASE, exit_on_signals

UNEXPECTED: Final = 70
"""Exit code of a defect of the program, as EX_SOFTWARE in sysexits.h."""
READER_GONE: Final = EXIT_BASE + signal.SIGPIPE
"""Exit code where the reader of the output went away, as for programs that SIGPIPE ends."""
OTHERS_WRITE: Final = 0o022
PYSPARK_WARNING: Final = "PySpark does not yet fully support pandas"

app = typer.Typer(
    name="xuanpin",
    help="Product selection: which product, in which market, will sell through and stay sold.",
    epilog="Example: xuanpin check data",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(experiments.cli.market_app)
app.add_typer(features.validation.cli.app)
app.add_typer(features.cli.app)
app.add_typer(features.importers.cli.app)
app.add_typer(training.pipeline.cli.app)
app.add_typer(serving.api.cli.app)
app.add_typer(serving.api.keys_cli.app, name="keys")
app.add_typer(serving.bundle.cli.app, name="bundle")
app.add_typer(serving.decision_log.cli.app, name="log")
app.add_typer(experiments.cli.bench_app)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - a fifth of a second of --help

        typer.echo(f"xuanpin {version('xuanpin')}")
        raise typer.Exit


@app.callback()
def xuanpin(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Product selection: which product, in which market, will sell through and stay sold."""


def main() -> None:
    """Run the command line; every failure ends with one message and a documented exit code."""
    _ignore_pyspark_warning()
    accept_any_text()
    os.umask(os.umask(OTHERS_WRITE) | OTHERS_WRITE)  # no other account may write what we wrote
    try:
        with exit_on_signals():
            refuse_broken_arguments(sys.argv)
            app(prog_name="xuanpin")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            sys.exit(READER_GONE)
        raise
    except XuanpinError as error:
        _stop(error)
    except Exception as error:  # noqa: BLE001 - the last resort: no user should see a traceback
        refused = as_storage_error(error) if isinstance(error, OSError) else as_engine_error(error)
        if refused is None:
            _stop_unexpectedly()
        _stop(refused)


def _ignore_pyspark_warning() -> None:
    """Ignore what PySpark says at its import: pandera imports it, but no command uses that part."""
    warnings.filterwarnings("ignore", message=PYSPARK_WARNING, category=FutureWarning)
    filters = (os.environ.get("PYTHONWARNINGS"), f"ignore:{PYSPARK_WARNING}:FutureWarning")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, filters))  # for worker processes


def _stop(error: XuanpinError) -> NoReturn:
    typer.echo(f"xuanpin: {error}", err=True)
    sys.exit(error.exit_code)


def _stop_unexpectedly() -> NoReturn:
    """Write the traceback to a file: it may hold values of the data, so it isn't printed."""
    try:
        with tempfile.NamedTemporaryFile(
            mode="w",
            encoding="utf-8",
            errors="backslashreplace",
            prefix="xuanpin-",
            suffix=".txt",
            delete=False,
        ) as file:
            traceback.print_exc(file=file)
    except OSError:
        advice = "Its details can't be written: set TMPDIR to a directory with room, and try again."
    else:
        advice = (
            f"Please report it with the details in {file.name} (they may hold values of your data)."
        )
    typer.echo(f"xuanpin: an unexpected error occurred. {advice}", err=True)
    sys.exit(UNEXPECTED)


if __name__ == "__main__":
    main()
