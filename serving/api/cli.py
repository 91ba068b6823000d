"""Commands that serve over HTTP and score a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

app = typer.Typer()

ROWS_REFUSED: Final = 1
"""Exit code if some rows were refused."""

RunOption = Annotated[
    Path | None,
    typer.Option("--run", help="Run directory that `xuanpin run` published into."),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help=r"TOML file with a section \[serving].")
]


@app.command(
    epilog="Exit codes: 0 stopped by SIGTERM or Ctrl+C; 2 wrong usage or settings, or an address "
    "of the network without API keys; 5 key file refused; 6 it can't listen on that address."
    "\n\nExample: xuanpin serve --run var/run --port 3000"
)
def serve(
    run: RunOption = None,
    host: Annotated[str | None, typer.Option(help="IP address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Number of processes.")] = None,
    keys: Annotated[
        Path | None,
        typer.Option(help="File of API keys; without it, only this machine is answered."),
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Directory to log each decision in; else none is logged.")
    ] = None,
    log_on_full: Annotated[
        Literal["stop", "drop"] | None,
        typer.Option(help="A decision that can't be logged: refuse it (stop), or count it (drop)."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Serve /v1/score, /v1/explain and probes over HTTP; SIGTERM lets running requests end.

    A flag overrides an environment variable (XUANPIN_SERVING__PORT), which overrides the file.
    """
    from features.runtime.settings import load_section
    from serving.api.drain import MASTER_VARIABLE
    from serving.api.launch import build_command, build_environment
    from serving.api.preflight import (
        check_access,
        check_address,
        check_log,
        describe_access,
        describe_start,
    )
    from serving.api.settings import ServingSettings

    flags = {"run": run, "host": host, "port": port, "workers": workers, "keys": keys}
    flags |= {"log": log, "log_on_full": log_on_full}
    settings = load_section(ServingSettings, "serving", config, flags)
    check_address(settings)
    check_access(settings)
    check_log(settings)
    typer.echo(describe_start(settings), err=True)
    typer.echo(describe_access(settings), err=True)
    sys.stderr.flush()
    command = build_command()
    # The server takes this process over, so that it has this process's id.
    environment = build_environment(settings, os.environ) | {MASTER_VARIABLE: str(os.getpid())}
    os.execve(command[0], command, environment)  # noqa: S606 - our own


@app.command(
    epilog="Exit codes: 0 all rows scored; 1 some rows refused, the column error has the reason; "
    "2 wrong usage; 3 the file is not a table; 5 bundle, snapshot or service refused; 6 disk error "
    "or no answer from the service."
    "\n\nExamples: xuanpin score candidates.csv --out scored.csv; xuanpin score "
    "candidates.csv --out scored.csv --min-sell-through 0.5 --bad-share 0.1"
)
def score(
    candidates: Annotated[
        Path,
        typer.Argument(
            help="CSV, Parquet or Excel (.xlsx) file with the columns product_id, market, "
            "list_price_minor, currency, units_offered and optionally listing_id, category, "
            "supplier_id, creator_id, candidate_id."
        ),
    ],
    out: Annotated[Path, typer.Option(help="CSV or Parquet file to write.")],
    run: RunOption = None,
    coverage: Annotated[
        float,
        typer.Option(min=0.5, max=0.95, help="Share of outcomes that intervals should cover."),
    ] = 0.8,
    min_sell_through: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Choose a list; less sell-through is bad."),
    ] = None,
    max_return_risk: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Choose a list; more return risk is bad."),
    ] = None,
    bad_share: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.999,
            help="Expected share of bad rows in the list, at most; 0.1 unless given.",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Ask this service instead of loading a run directory.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File with the service's API key, if it asks for one.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Score a file of candidates: add predictions, intervals and flags to its rows.

    The output keeps the order of rows and all columns; to the name of one that is called like a
    result, _before is added. A row that can't be scored has the reason in the column error. With
    --min-sell-through or --max-return-risk, the column is_chosen marks a list of which at most
    --bad-share is expected to turn out bad. The command then scores the file twice. With --url a
    running service scores the rows; the numbers are the same.
    """
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress
    from features.runtime.settings import load_section
    from features.runtime.text import quote_path
    from serving.api.settings import ServingSettings
    from serving.batch.remote import check_options, score_file_remotely
    from serving.batch.score_file import check_paths, score_file
    from serving.batch.select import describe_selection, parse_selection, select_file
    from serving.batch.summary import describe_batch
    from serving.scoring.loading import load_artefacts

    request = parse_selection(min_sell_through, max_return_risk, bad_share)
    selection = None
    if url is not None:
        check_options(url, is_local=run is not None or config is not None, request=request)
        with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
            report = score_file_remotely(
                url, key_file, candidates, out, coverage=coverage, progress=progress
            )
    else:
        settings = load_section(ServingSettings, "serving", config, {"run": run})
        check_paths(candidates, out)
        served = load_artefacts(
            bundles=settings.bundles,
            snapshots=settings.snapshots,
            public_key=settings.public_key,
            max_snapshot_age_days=settings.max_snapshot_age_days,
        )
        with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
            if request is not None:
                selection = select_file(
                    served, candidates, request, coverage=coverage, progress=progress
                )
            report = score_file(
                served, candidates, out, coverage=coverage, progress=progress, selection=selection
            )
    typer.echo(f"Scored {report.scored_count:,} of {report.rows:,} rows into {quote_path(out)}.")
    if selection is not None:
        typer.echo(describe_selection(selection))
    for line in describe_batch(report):
        typer.echo(line)
    raise typer.Exit(ROWS_REFUSED if report.refused else 0)
