"""Commands that show the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from rich.console import Console

app: Final = typer.Typer()

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@app.command(
    "list",
    epilog="Exit codes: 0 listed; 2 no such family, level or kind.\n\n"
    "Example: xuanpin features list --family returns --level listing",
)
def list_features(
    family: Annotated[str | None, typer.Option(help="Only of a family, e.g. demand.")] = None,
    level: Annotated[
        str | None, typer.Option(help="Only at a level, e.g. category_market.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only of a kind, e.g. Derived.")] = None,
    *,
    json: JsonOption = False,
) -> None:
    """List the models' inputs by family: what each is, its level, unit and bounds.

    features/CATALOG.md is the same list as a page.
    """
    from features.catalogue.catalogue import CATALOGUE
    from features.catalogue.choose import FeatureFilter, choose
    from features.catalogue.describe import FORMAT
    from features.catalogue.view import list_view

    described = choose(CATALOGUE, FeatureFilter(family=family, level=level, kind=kind))
    if json:
        _print_json({"format": FORMAT, "features": [one.facts for one in described]})
    else:
        console = _console()
        console.print(list_view(described, console.width))


@app.command(
    "describe",
    epilog="Exit codes: 0 described; 2 no such feature.\n\n"
    "Example: xuanpin features describe return_rate_180d",
)
def describe_feature(
    name: Annotated[str, typer.Argument(help="Name of a feature or of a request's field.")],
    *,
    json: JsonOption = False,
) -> None:
    """Tell all that is declared of a feature, and what follows from it."""
    from features.catalogue.catalogue import CATALOGUE
    from features.catalogue.choose import resolve_name
    from features.catalogue.describe import FORMAT, describe
    from features.catalogue.view import feature_view

    described = describe(CATALOGUE, resolve_name(CATALOGUE, name))
    if json:
        _print_json({"format": FORMAT, **described.facts})
    else:
        _console().print(feature_view(described))


def _print_json(document: object) -> None:
    from json import dumps

    typer.echo(dumps(document, indent=2, ensure_ascii=False))


def _console() -> Console:
    """Open a terminal of bounded width; a file is written plainly, in that width."""
    from rich.console import Console

    from features.catalogue.view import MAX_WIDTH

    terminal = Console()
    width = min(terminal.width, MAX_WIDTH) if terminal.is_terminal else MAX_WIDTH
    return Console(width=width, highlight=False)
