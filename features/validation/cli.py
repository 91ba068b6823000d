"""Check source data against the contract: `xuanpin check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

app = typer.Typer()

QUARANTINED: Final = 1
EXIT_CODES: Final = """Exit codes: 0 all rows are valid; 1 some rows are quarantined, the others can
be used; 2 wrong usage; 3 a table can't be used at all; 6 the disk refused.

Example: xuanpin check data --out validated"""


@app.command("check", epilog=EXIT_CODES)
def check(
    directory: Annotated[
        Path,
        typer.Argument(
            help="Directory with a CSV, Parquet or Excel file, or a folder of them, for each table."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Directory to write: the validated tables and the quarantine."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON and nothing else.")
    ] = False,
) -> None:
    """Check source tables against the contract, and report the quarantined rows with reasons.

    Without --out only the report is printed. docs/contract.md describes the tables.
    """
    from features.files.source import find_tables
    from features.runtime.console import print_results
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress
    from features.runtime.temporary import temporary_directory
    from features.validation.report_page import report_page
    from features.validation.validate import validate, validate_tables

    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        if out is None:
            with temporary_directory() as temporary:
                report = validate_tables(find_tables(directory), temporary, progress)
        else:
            report = validate(directory, out, progress)
    if json:
        typer.echo(report.to_json(), nl=False)
    else:
        print_results(report_page(report))
        _print_next_step(report.rows_quarantined, out)
    raise typer.Exit(QUARANTINED if report.rows_quarantined else 0)


def _print_next_step(rows_quarantined: int, out: Path | None) -> None:
    if out is None:
        typer.echo("To keep the validated tables and the quarantine, add --out DIR.")
        return
    from features.runtime.text import quote_path

    typer.echo(f"The validated tables are in {quote_path(out)}.")
    if rows_quarantined:
        quarantine = quote_path(out / "quarantine")
        typer.echo(f"The quarantined rows, with their reasons, are in {quarantine}.")
