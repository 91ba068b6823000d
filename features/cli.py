"""`xuanpin features`: its commands, each in the file of what it is about."""

from __future__ import annotations

from typing import Final

import typer

import features.catalogue.cli
import features.materialise.cli
import features.monitoring.cli
import features.parity.cli

app: Final = typer.Typer(
    name="features",
    help="The catalogue of features: read it, check its values, materialise it, prove its parity.",
    no_args_is_help=True,
)
app.add_typer(features.catalogue.cli.app)
app.add_typer(features.materialise.cli.app)
app.add_typer(features.parity.cli.app)
app.add_typer(features.monitoring.cli.app)
