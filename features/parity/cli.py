"""The command `xuanpin features parity`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

app: Final = typer.Typer()

DIFFERENT: Final = 1
PARITY_CODES: Final = """Exit codes: 0 all bits are equal; 1 a feature differs; 2 wrong usage or
settings; 3 the data aren't validated, or nothing was on sale; 5 the snapshot was refused; 6 the
disk refused.

Example: xuanpin features parity --data var/run/validated --sample 200"""

DataOption = Annotated[Path, typer.Option(help="Directory written by `xuanpin check --out`.")]
ConfigOption = Annotated[Path | None, typer.Option(help=r"TOML file with a section \[horizons].")]
SampleOption = Annotated[int, typer.Option(min=1, help="Training rows to replay.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the choice of rows and moments.")]
SnapshotOption = Annotated[
    Path | None,
    typer.Option(help="Snapshot, or directory of snapshots, to compare with instead of new ones."),
]
PoolingOption = Annotated[
    Path | None, typer.Option(help="A bundle's pooling.json, to compare with its parameters.")
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
    """Replay training rows through the online path and show every difference.

    The report has the largest difference in each family of features and the features that differ,
    the worst first; --json has the largest difference of every feature.

    Rows are drawn from a few moments, the first and the last among them. For each moment a snapshot
    is made, opened and looked up as by a request. With --snapshot, rows of its moment are drawn.
    """
    from features.dataset.horizons import Horizons
    from features.parity.check import ParityRequest, check_parity
    from features.parity.report import parity_json, parity_page
    from features.parity.sample import ReplaySample
    from features.runtime.console import print_results
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
        result = check_parity(check, progress)
    if json:
        typer.echo(parity_json(result), nl=False)
    else:
        print_results(parity_page(result))
    raise typer.Exit(DIFFERENT if result.different else 0)
