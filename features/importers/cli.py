"""Commands that import public data sets: `xuanpin import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from features.importers.online_retail.date_order import DateOrder

app = typer.Typer(
    name="import",
    help="Turn a public data set into the tables of the contract.",
    no_args_is_help=True,
)


@app.callback()
def import_group() -> None:
    """Turn a public data set into the tables of the contract."""


@app.command(
    "online-retail", epilog="Example: xuanpin import online-retail online_retail.parquet --out data"
)
def online_retail(
    file: Annotated[
        Path, typer.Argument(help="Parquet, CSV or Excel file with its eight columns.")
    ],
    out: Annotated[Path, typer.Option(help="Directory to write; an earlier import is replaced.")],
    key: Annotated[
        Path | None,
        typer.Option(help="File of 16 or more bytes: the key of the buyers' pseudonyms."),
    ] = None,
    dates: Annotated[
        DateOrder | None,
        typer.Option(help="Order of day and month in dates such as 01/12/2010."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print import.json and nothing else.")
    ] = False,
) -> None:
    """Import Online Retail as products, listings, prices, orders and returns.

    Every line of the file is kept, removed or quarantined. The report counts the reasons.
    """
    from features.importers.online_retail.buyers import PUBLISHED_KEY, read_key
    from features.importers.online_retail.importer import import_lines
    from features.importers.online_retail.source import digest, read_source
    from features.importers.online_retail.storage import encode_report, is_import, write_import
    from features.importers.online_retail.summary import describe
    from features.runtime.atomic import write_directory
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress
    from features.runtime.text import quote_path

    pseudonym_key = PUBLISHED_KEY if key is None else read_key(key)
    with (
        write_directory(out, is_import) as partial,
        show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress,
    ):
        progress("Opening the file")
        imported = import_lines(
            read_source(file),
            key=pseudonym_key,
            source_sha256=digest(file),
            order=dates,
            progress=progress,
        )
        progress("Writing")
        write_import(imported, partial)
    if json:
        typer.echo(encode_report(imported.report), nl=False)
    else:
        typer.echo(f"Online Retail is in {quote_path(out)}\n\n{describe(imported.report)}")
