"""`xuanpin features list` and `describe`: show the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from rich.console import Console

app: Final = typer.Typer()

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@app.command(
    "list",
    epilog="Exit codes: 0 listed; 2 unknown family, level or kind.\n\n"
    "Example: xuanpin features list --family returns --level listing",
)
def list_features(
    family: Annotated[
        str | None, typer.Option(help="Only features of this family, e.g. demand.")
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="Only features at this level, e.g. category_market.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only features of this kind, e.g. Derived.")
    ] = None,
    *,
    json: JsonOption = False,
) -> None:
    """List the inputs of the models by family, with level, unit, bounds and description.

    features/CATALOG.md shows the same list as a page.
    """
    from features.catalogue.catalogue import CATALOGUE
    from features.catalogue.choose import FeatureFilter, choose
    from features.catalogue.describe import FORMAT
    from features.catalogue.view import list_view

    descriptions = choose(CATALOGUE, FeatureFilter(family=family, level=level, kind=kind))
    if json:
        _print_json({"format": FORMAT, "features": [each.facts for each in descriptions]})
    else:
        console = _console()
        console.print(list_view(descriptions, console.width))


@app.command(
    "describe",
    epilog="Exit codes: 0 described; 2 unknown feature.\n\n"
    "Example: xuanpin features describe return_rate_180d",
)
def describe_feature(
    name: Annotated[str, typer.Argument(help="Name of a feature or of a request field.")],
    *,
    json: JsonOption = False,
) -> None:
    """Show the declaration of a feature, its source tables and the features that use it."""
    from features.catalogue.catalogue import CATALOGUE
    from features.catalogue.choose import resolve_name
    from features.catalogue.describe import FORMAT, describe
    from features.catalogue.view import feature_view

    description = describe(CATALOGUE, resolve_name(CATALOGUE, name))
    if json:
        _print_json({"format": FORMAT, **description.facts})
    else:
        _console().print(feature_view(description))


def _print_json(document: object) -> None:
    from json import dumps

    typer.echo(dumps(document, indent=2, ensure_ascii=False))


def _console() -> Console:
    """Return a console of at most MAX_WIDTH columns; a file gets exactly this width."""
    from rich.console import Console

    from features.catalogue.view import MAX_WIDTH

    terminal = Console()
    width = min(terminal.width, MAX_WIDTH) if terminal.is_terminal else MAX_WIDTH
    return Console(width=width, highlight=False)
