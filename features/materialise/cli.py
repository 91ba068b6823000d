"""The command `xuanpin features materialise`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

app: Final = typer.Typer()

MATERIALISE_CODES: Final = """Exit codes: 0 the snapshot is in use; 2 wrong usage or settings; 3 the
data aren't validated, or hold nothing known by that day; 5 the snapshot to refresh or the key was
refused; 6 the disk refused.

Example: xuanpin features materialise --data var/run/validated --as-of 2026-05-01 --out snapshots"""

DataOption = Annotated[Path, typer.Option(help="Directory written by `xuanpin check --out`.")]
ConfigOption = Annotated[Path | None, typer.Option(help=r"TOML file with a section \[horizons].")]
OutOption = Annotated[
    Path, typer.Option(help="Directory of snapshots: adds OUT/<id>, and OUT/CURRENT names it.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option(help="Day, at its UTC midnight; by default the last complete day of orders."),
]
SinceOption = Annotated[
    Path | None,
    typer.Option(
        help="Earlier snapshot, or OUT for the one in use. Computes only keys that may have "
        "changed since, unless rows known by then were added, removed or changed."
    ),
]

KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--signing-key",
        help="PEM file with a private key: sign the snapshot before it is in use, for a service "
        "with the setting public_key.",
    ),
]


@app.command(epilog=MATERIALISE_CODES)
def materialise(
    data: DataOption,
    out: OutOption = Path("var/snapshots"),
    as_of: AsOfOption = None,
    since: SinceOption = None,
    signing_key: KeyOption = None,
    config: ConfigOption = None,
    *,
    json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON and nothing else.")
    ] = False,
) -> None:
    """Compute the features of all live keys at one moment and publish them for look-up.

    With --since the result is the same, byte for byte. All keys are computed, and the reason is
    printed, if rows known by then were added, removed or changed, or if code, settings or the
    engine changed.
    """
    from features.dataset.horizons import Horizons
    from features.materialise.publish import SnapshotRequest, publish_snapshot
    from features.materialise.report import snapshot_json, snapshot_page
    from features.runtime.console import print_results
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress
    from features.runtime.settings import load_section

    horizons = load_section(Horizons, "horizons", config)
    request = SnapshotRequest(
        data=data, out=out, as_of=as_of, since=since, signing_key=signing_key, horizons=horizons
    )
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        result, directory = publish_snapshot(request, progress)
    if json:
        typer.echo(snapshot_json(result, directory), nl=False)
    else:
        print_results(snapshot_page(result, directory))
