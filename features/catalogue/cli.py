"""`xuanpin features list` and `describe`: show the catalogue."""

from __future__ import annotations

from typing import Annotated, Final

import typer

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
    """List the features by family: inputs of the models, and evidence for them.

    features/CATALOG.md shows the same list as a page.
    """
    from features.catalogue.catalogue import CATALOGUE
    from features.catalogue.choose import FeatureFilter, choose
    from features.catalogue.describe import FORMAT
    from features.catalogue.view import list_view
    from features.runtime.console import print_results

    descriptions = choose(CATALOGUE, FeatureFilter(family=family, level=level, kind=kind))
    if json:
        _print_json({"format": FORMAT, "features": [each.facts for each in descriptions]})
    else:
        print_results(list_view(descriptions))


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
    from features.runtime.console import print_results

    description = describe(CATALOGUE, resolve_name(CATALOGUE, name))
    if json:
        _print_json({"format": FORMAT, **description.facts})
    else:
        print_results(feature_view(description))


def _print_json(document: object) -> None:
    from json import dumps

    typer.echo(dumps(document, indent=2, ensure_ascii=False))
