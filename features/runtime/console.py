"""Print results without cutting them off in a pipe or a file."""

from __future__ import annotations

from typing import Final

from rich.console import Console, RenderableType

FALLBACK_WIDTH: Final = 220
"""Characters a line where there is no terminal: more than any table needs."""


def print_results(results: RenderableType) -> None:
    """Print to standard output, as wide as the terminal or, without one, as wide as needed."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=FALLBACK_WIDTH)
    console.print(results)
