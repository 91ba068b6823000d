"""Print results so that nothing is cut off: a pipe or a file has no width to keep to."""

from __future__ import annotations

from typing import Final

from rich.console import Console, RenderableType

FALLBACK_WIDTH: Final = 220
"""Characters a line where nobody's terminal sets a limit: more than any of our tables needs."""


def print_results(results: RenderableType) -> None:
    """Print to the standard output, as wide as the terminal, or as needed where there is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=FALLBACK_WIDTH)
    console.print(results)
