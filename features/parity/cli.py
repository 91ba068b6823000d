"""Prove from the command line that training and the online snapshot hold the same values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

app: Final = typer.Typer()

DIFFERENT: Final = 1
PARITY_CODES: Final = """Exit codes: 0 every bit is the same; 1 a feature differs; 2 wrong usage or
settings; 3 the data aren't validated, or nothing was on sale; 5 the snapshot was refused; 6 the
disk refused.

Example: xuanpin features parity --data var/run/validated --sample 200"""

DataOption = Annotated[Path, typer.Option(help="Directory that `xuanpin check --out` wrote.")]
ConfigOption = Annotated[
    Path | None, typer.Option(help=r"TOML file with a section \[horizons]; its own must hold.")
]
SampleOption = Annotated[int, typer.Option(min=1, help="Training rows to replay.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the choice of rows and moments.")]
SnapshotOption = Annotated[
    Path | None,
    typer.Option(help="Snapshot, or directory of snapshots, to ask in place of fresh ones."),
]
PoolingOption = Annotated[
    Path | None, typer.Option(help="A bundle's pooling.json, for the parameters in use.")
]
EveryFeatureOption = Annotated[
    bool, typer.Option("--json", help="Print every feature as JSON and nothing else.")
]


@app.command(epilog=PARITY_CODES)
def parity(
    data: DataOption,
    sample: SampleOption = 200,
    seed: SeedOption = 0,
    snapshot: SnapshotOption = None,
    pooling: PoolingOption = None,
    config: ConfigOption = None,
    *,
    json: EveryFeatureOption = False,
) -> None:
    """Replay training rows through the online path and show where the two differ, and how much.

    Shown are the largest difference in each family of features and, the worst first, the features
    that differ; --json has the largest difference of every feature.

    Rows are drawn from a few moments, the first and the last among them; for each a snapshot is
    made, opened and asked as a request asks it. With --snapshot, rows of its moment are drawn.
    """
    from rich.console import Console

    from features.dataset.horizons import Horizons
    from features.parity.check import ParityRequest, check_parity
    from features.parity.report import parity_json, parity_page
    from features.parity.sample import ReplaySample
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress
    from features.runtime.settings import load_section

    check = ParityRequest(
        data=data,
        horizons=load_section(Horizons, "horizons", config),
        sample=ReplaySample(rows=sample, seed=seed),
        snapshot=snapshot,
        pooling=pooling,
    )
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        found = check_parity(check, progress)
    if json:
        typer.echo(parity_json(found), nl=False)
    else:
        Console(highlight=False).print(parity_page(found), soft_wrap=True)
    raise typer.Exit(DIFFERENT if found.different else 0)
