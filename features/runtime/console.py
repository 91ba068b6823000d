"""Print results as wide as the terminal; without a terminal, as wide as they are.

No number is ever cut. A table that is too wide for the terminal becomes a list of its rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement, measure_renderables
from rich.table import Table
from rich.text import Text

UNLIMITED: Final = 100_000
"""Characters a line: more than any table or sentence has."""


def print_results(results: RenderableType) -> None:
    """Print to standard output; text isn't read as markup, because names may look like it."""
    console = Console(highlight=False, markup=False, emoji=False)
    if console.file.isatty():
        console.print(fit(results, console))
    else:
        console.width = max(_measure(results, console).maximum, 1)
        console.print(results)


def fit(results: RenderableType, console: Console) -> RenderableType:
    """Return results whose tables the console can print without cutting a word."""
    if isinstance(results, Group):
        return Group(*(fit(part, console) for part in results.renderables))
    if isinstance(results, Table) and _measure(results, console).maximum > console.width:
        return results if _narrow(results, console) else Group(*_list_rows(results))
    return results


def _narrow(table: Table, console: Console) -> bool:
    """Set widths that wrap text and keep every word whole; return False if there are none.

    Rich would cut the widest column first, even one that holds a single word.
    """
    room = console.width - _measure(table, console).minimum
    if room < 0:
        return False
    options = console.options.update(max_width=UNLIMITED)
    columns = [
        (
            column,
            measure_renderables(console, options, [column.header, *column.cells]).clamp(
                column.min_width
            ),
        )
        for column in table.columns
    ]
    columns.sort(key=lambda each: each[1].span)
    for place, (column, needed) in enumerate(columns):
        more = min(needed.span, room // (len(columns) - place))
        column.width = needed.minimum + more
        room -= more
    return True


def _measure(results: RenderableType, console: Console) -> Measurement:
    if isinstance(results, Group):  # its own measurement stops at the console's width
        parts = [_measure(part, console) for part in results.renderables]
        least, most = (max(widths, default=0) for widths in zip(*parts, strict=True))
        return Measurement(least, most)
    return Measurement.get(console, console.options.update(max_width=UNLIMITED), results)


def _list_rows(table: Table) -> Iterator[Text]:
    """Yield a table's title, then each row as its first cell and the others with their headings."""
    headings = [_to_text(column.header).replace("\n", " ") for column in table.columns]
    if table.title:
        yield Text(_to_text(table.title))
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        named = zip(headings, map(_to_text, cells), strict=True)
        (_, first), *others = [(heading, cell) for heading, cell in named if cell]
        line = "; ".join(f"{heading} {cell}".strip() for heading, cell in others)
        yield Text.assemble((first, "bold"), "  ", line)
    if table.caption:
        yield Text(_to_text(table.caption))


def _to_text(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)
