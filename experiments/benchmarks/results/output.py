"""Print a benchmark's result: as a page for people or as JSON for programs."""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.console import RenderableType

from features.runtime.console import print_results


def print_benchmark(page: RenderableType, document: Any, *, as_json: bool) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Print the page, or only the document as JSON."""
    if as_json:
        typer.echo(json.dumps(document))
    else:
        print_results(page)
