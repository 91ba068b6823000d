"""Print results as wide as the terminal; without a terminal, as wide as they are.

No number is ever cut. A table that is too wide for the terminal becomes a list, a line a cell.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

UNLIMITED: Final = 100_000
"""Characters a line: more than any table or sentence has."""


def print_results(results: RenderableType) -> None:
    """Print to standard output; text isn't read as markup, because names may look like it."""
    console = Console(highlight=False, markup=False, emoji=False)
    if sys.stdout.isatty():
        console.print(fit(results, console))
    else:
        console.width = max(_measure(results, console).maximum, 1)
        console.print(results)


def fit(results: RenderableType, console: Console) -> RenderableType:
    """Return results with a list in place of each table in which the console would cut a word."""
    if isinstance(results, Group):
        return Group(*(fit(part, console) for part in results.renderables))
    if isinstance(results, Table) and _measure(results, console).minimum > console.width:
        return Group(*_list_cells(results))
    return results


def _measure(results: RenderableType, console: Console) -> Measurement:
    if isinstance(results, Group):  # its own measurement stops at the console's width
        parts = [_measure(part, console) for part in results.renderables]
        least, most = (max(widths, default=0) for widths in zip(*parts, strict=True))
        return Measurement(least, most)
    return Measurement.get(console, console.options.update(max_width=UNLIMITED), results)


def _list_cells(table: Table) -> Iterator[Text]:
    """Yield a table's title, then for each row its first cell and a line for each other cell."""
    headings = [_to_text(column.header).replace("\n", " ") for column in table.columns]
    if table.title:
        yield Text(_to_text(table.title))
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        first, *others = map(_to_text, cells)
        yield Text(first, style="bold")
        for heading, cell in zip(headings[1:], others, strict=True):
            yield Text(f"  {heading}: {cell}" if heading else f"  {cell}")
    if table.caption:
        yield Text(_to_text(table.caption))


def _to_text(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)
