"""`xuanpin features`: gather the commands of the rooms."""

from __future__ import annotations

from typing import Final

import typer

import features.catalogue.cli
import features.materialise.cli
import features.monitoring.cli
import features.parity.cli

app: Final = typer.Typer(
    name="features",
    help="Show the catalogue of features, check its values, materialise it and verify its parity.",
    no_args_is_help=True,
)
app.add_typer(features.catalogue.cli.app)
app.add_typer(features.materialise.cli.app)
app.add_typer(features.parity.cli.app)
app.add_typer(features.monitoring.cli.app)
