"""The command `xuanpin features check`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from features.dataset.horizons import Horizons
    from features.monitoring.bundle_reference import BundleReference

app: Final = typer.Typer()

FOUND: Final = 1
DAY: Final = "%Y-%m-%d"
EXIT_CODES: Final = """Exit codes: 0 nothing found; 1 something was found; 2 wrong usage; 3 the data
are invalid, or nothing was on sale; 5 the bundle was refused; 6 the disk refused.

Example: xuanpin features check --data validated --bundle var/run/bundles/0123456789abcdef"""

DataOption = Annotated[Path, typer.Option(help="Directory written by `xuanpin check --out`.")]
BundleOption = Annotated[
    Path | None,
    typer.Option(help="Bundle directory to compare with; its horizons are used."),
]
AsOfOption = Annotated[
    datetime | None,
    typer.Option(
        formats=[DAY], help="Day of the check; by default the last complete day of orders."
    ),
]
DaysOption = Annotated[int, typer.Option(min=1, max=365, help="Days of decisions to check.")]
StaleOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Days that a table may be old; by default twice its usual gap, at least 3.",
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option(help=r"TOML file with a section \[horizons]; a bundle has its own.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the report as JSON and nothing else.")
]


@app.command("check", epilog=EXIT_CODES)
def check(
    data: DataOption,
    bundle: BundleOption = None,
    as_of: AsOfOption = None,
    days: DaysOption = 28,
    stale_after: StaleOption = None,
    config: ConfigOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Check the values that requests would use now: bounds, nulls, freshness, drift.

    Drift and null shares are compared with the reference in a bundle. Name today with --as-of to
    notice that all tables stopped arriving: the default day moves with the orders.
    """
    from features.catalogue.catalogue import CATALOGUE
    from features.dataset.dataset import open_dataset
    from features.dataset.days import to_day
    from features.monitoring.check import CheckRequest, check_values
    from features.monitoring.page import values_page
    from features.runtime.console import print_results
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress

    reference, horizons = _load_reference(bundle, config)
    request = CheckRequest(
        as_of_day=None if as_of is None else to_day(as_of.replace(tzinfo=UTC)),
        days=days,
        stale_after_days=stale_after,
        horizons=horizons,
        reference=reference,
    )
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        report = check_values(open_dataset(data), CATALOGUE, request, progress)
    if json:
        typer.echo(report.to_json(), nl=False)
    else:
        print_results(values_page(report))
    raise typer.Exit(FOUND if report.finding_count else 0)


def _load_reference(
    bundle: Path | None, config: Path | None
) -> tuple[BundleReference | None, Horizons]:
    """Return the reference of a bundle, if any, and the horizons of the bundle or the settings."""
    from features.catalogue.catalogue import CATALOGUE
    from features.dataset.horizons import Horizons
    from features.monitoring.bundle_reference import read_reference, refuse_other_horizons
    from features.runtime.settings import load_section

    horizons = load_section(Horizons, "horizons", config)
    if bundle is None:
        return None, horizons
    reference = read_reference(bundle, CATALOGUE)
    refuse_other_horizons(reference, horizons)
    return reference, reference.horizons
