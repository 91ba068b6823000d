"""The report of a replay for a terminal, and as an HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape as escape_html
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from features.runtime.text import escape, escape_path
from serving.decision_log.comparison import MAX_EXAMPLES
from serving.decision_log.replay import ReplayReport
from serving.decision_log.replay_tables import (
    ReportTable,
    build_tables,
    describe_rule,
    describe_verdict,
)

TERMINAL_EXAMPLES: Final = 10
MAX_CELL: Final = 160
HEAD: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Replay of the decision log</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1e293b; }
table { border-collapse: collapse; margin: 1rem 0 2rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #e2e8f0; text-align: left; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.verdict { font-size: 1.15rem; font-weight: 600; }
</style>
</head>
<body>"""


def replay_page(report: ReplayReport) -> RenderableType:
    """Return the report in a form that a rich console prints."""
    style = "bold red" if report.failure_count else "bold green"
    return Group(
        *(_draw(table) for table in build_tables(report, examples=TERMINAL_EXAMPLES)),
        Text(describe_rule(report), style="dim"),
        Text(describe_verdict(report), style=style),
    )


def _draw(table: ReportTable) -> Table:
    drawn = Table(
        title=f"\n{table.title}",
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    for heading in table.headings:
        drawn.add_column(heading, justify="right" if heading in table.numbers else "left")
    for row in table.rows:
        drawn.add_row(*(Text(escape(cell, MAX_CELL)) for cell in row))
    return drawn


def replay_html(report: ReplayReport) -> str:
    """Return the report as a page; every text of the log is escaped."""
    title = f"Replay of {escape_path(report.log)} with bundle {escape(report.bundle_id)}"
    return "\n".join(
        [
            HEAD,
            f"<h1>{escape_html(title)}</h1>",
            f'<p class="verdict">{escape_html(describe_verdict(report))}</p>',
            f"<p>{escape_html(describe_rule(report))}</p>",
            *(_write(table) for table in build_tables(report, examples=MAX_EXAMPLES)),
            "</body>\n</html>\n",
        ]
    )


def _write(table: ReportTable) -> str:
    return "\n".join(_write_lines(table))


def _write_lines(table: ReportTable) -> Iterator[str]:
    numbers = [heading in table.numbers for heading in table.headings]
    yield f"<table><caption>{escape_html(table.title)}</caption>"
    yield _write_row("th", table.headings, numbers)
    for row in table.rows:
        yield _write_row("td", row, numbers)
    yield "</table>"


def _write_row(tag: str, cells: Sequence[str], numbers: Sequence[bool]) -> str:
    number, text = f'<{tag} class="number">', f"<{tag}>"
    written = (
        f"{number if is_number else text}{escape_html(escape(cell, MAX_CELL))}</{tag}>"
        for cell, is_number in zip(cells, numbers, strict=True)
    )
    return f"<tr>{''.join(written)}</tr>"
