"""`xuanpin features`: its commands, each in the file of what it is about."""

from __future__ import annotations

from typing import Final

import typer

import features.catalogue_cli
import features.online_cli
import features.parity_cli
import features.values_cli

app: Final = typer.Typer(
    name="features",
    help="The catalogue of features: read it, check its values, materialise it, prove its parity.",
    no_args_is_help=True,
)
app.add_typer(features.catalogue_cli.app)
app.add_typer(features.online_cli.app)
app.add_typer(features.parity_cli.app)
app.add_typer(features.values_cli.app)
