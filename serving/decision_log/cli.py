"""Commands on the decision log: prove it, and replay it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

app = typer.Typer(help="Verify and replay the service's decision log.", no_args_is_help=True)

FOUND: Final = 1
TIMES: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

LogArgument = Annotated[
    Path, typer.Argument(help="Directory of the log, as given to `xuanpin serve --log`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@app.callback()
def log_group() -> None:
    """Verify and replay the service's decision log."""


@app.command(
    epilog="Exit codes: 0 sound; 1 a fault was found; 2 wrong usage; 3 no log; 6 disk error."
    "\n\nExample: xuanpin log verify var/log"
)
def verify(directory: LogArgument, json: JsonOption = False) -> None:
    """Verify that no file of the log was altered, removed, reordered or inserted.

    Prints where each chain ends. Note it elsewhere: a chain without a secret can't show what
    somebody does who makes the rest of it anew. Works while the service writes.
    """
    from msgspec.json import encode

    from features.runtime.console import print_results
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress
    from serving.decision_log.verify import verify_log
    from serving.decision_log.verify_page import verify_page

    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        report = verify_log(directory, progress)
    if json:
        typer.echo(encode({"faults": report.fault_count, "chains": report.chains}).decode())
    else:
        print_results(verify_page(report))
    raise typer.Exit(FOUND if report.fault_count else 0)


@app.command(
    epilog="Exit codes: 0 done; 1 the same bundle and snapshot gave other bits; 2 wrong usage; 3 "
    "no log, or nothing in the period; 5 bundle or snapshot refused or missing; 6 disk error."
    "\n\nExample: xuanpin log replay var/log --bundle var/run/bundles/0123456789abcdef "
    "--from 2026-11-01 --out replay.html"
)
def replay(
    directory: LogArgument,
    bundle: Annotated[Path, typer.Option(help="Directory of the bundle to score with.")],
    snapshot: Annotated[
        Path | None,
        typer.Option(help="Directory of a snapshot for all decisions; else each has its own."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="Run directory with the logged snapshots; else that of the bundle."),
    ] = None,
    begin: Annotated[
        datetime | None, typer.Option("--from", formats=TIMES, help="First time, UTC.")
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", formats=TIMES, help="Time to stop before, UTC."),
    ] = None,
    min_sell_through: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Less sell-through isn't worth offering."),
    ] = 0.5,
    max_return_risk: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="More return risk isn't worth offering.")
    ] = 0.2,
    out: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    json: JsonOption = False,
) -> None:
    """Score logged decisions again, and say where the verdict flips.

    Decisions of the same bundle and snapshot must come out the same bit for bit, features too.
    """
    from msgspec.json import encode

    from features.runtime.atomic import check_writable, replace_file
    from features.runtime.console import print_results
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress
    from serving.bundle.bundle import load_bundle
    from serving.decision_log import replay as replaying
    from serving.decision_log.comparison import Bounds
    from serving.decision_log.reading import Period
    from serving.decision_log.replay_page import replay_html, replay_page
    from serving.decision_log.verify import list_chains

    list_chains(directory)  # before the bundle is tried
    if out is not None:
        check_writable(out)
    request = replaying.ReplayRequest(
        log=directory,
        period=Period(*(time and time.replace(tzinfo=UTC) for time in (begin, end))),
        bundle=load_bundle(bundle),
        snapshots=(run or bundle.resolve().parents[1]) / "snapshots",
        snapshot=snapshot,
        bounds=Bounds(min_sell_through=min_sell_through, max_return_risk=max_return_risk),
    )
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        report = replaying.replay(request, progress)
    if out is not None:
        replace_file(out, replay_html(report).encode())
    if json:
        typer.echo(encode(report).decode())
    else:
        print_results(replay_page(report))
    raise typer.Exit(FOUND if report.failure_count else 0)
