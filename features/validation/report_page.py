"""Render the report of a validation for a terminal, in bounded length."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from features.runtime.text import escape, join_names
from features.validation.report import TableReport, ValidationReport
from features.validation.table_rules import describe_reason

MAX_REASONS: Final = 8
"""Reasons shown per table; report.json has all."""

INDENT: Final = 2


def report_page(report: ValidationReport) -> RenderableType:
    """Return the report for a rich console; it shows names, never values of the data."""
    return Group(
        _tables(report),
        *_section("Quarantined (rows are counted from 1, without the header)", _reasons(report)),
        *_section("Warnings", _warnings(report)),
        *_section("Other tables and files", _list_others(report)),
        Text(),
        _verdict(report),
    )


def _tables(report: ValidationReport) -> Grid:
    tables = len(report.tables)
    title = f"{escape(report.source)}: {tables} table{'s' if tables > 1 else ''}"
    grid = Grid(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    grid.add_column("table")
    for name in ("rows read", "valid", "duplicates", "quarantined"):
        grid.add_column(name, justify="right")
    grid.add_column("events from")
    grid.add_column("to")
    for table in report.tables:
        quarantined_style = "yellow" if table.rows_quarantined else "dim"
        grid.add_row(
            table.name,
            f"{table.rows_read:,}",
            f"{table.rows_valid:,}",
            _format_count(table.rows_dropped),
            Text(_format_count(table.rows_quarantined), style=quarantined_style),
            _format_day(table.first_event),
            _format_day(table.last_event),
        )
    return grid


def _format_count(rows: int) -> str:
    return f"{rows:,}" if rows else "-"


def _format_day(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d") if moment else ""


def _section(title: str, lines: Iterator[Text]) -> Iterator[RenderableType]:
    shown_lines = list(lines)
    if shown_lines:
        yield Text(f"\n{title}", style="bold")
        yield from (Padding.indent(line, INDENT) for line in shown_lines)


def _reasons(report: ValidationReport) -> Iterator[Text]:
    for table in report.tables:
        yield from _list_reasons(table)


def _list_reasons(table: TableReport) -> Iterator[Text]:
    by_rows = sorted(table.quarantined, key=lambda quarantined: -quarantined.rows)
    for quarantined in by_rows[:MAX_REASONS]:
        rows = ", ".join(map(str, quarantined.examples))
        ellipsis = ", …" if quarantined.rows > len(quarantined.examples) else ""
        row_word = "row" if quarantined.rows == 1 else "rows"
        yield Text.assemble(
            (f"{table.name}  ", "bold"),
            (f"{quarantined.rows:,}  ", "yellow"),
            describe_reason(quarantined.reason),
            (f"  ({row_word} {rows}{ellipsis})", "dim"),
        )
    more = len(by_rows) - MAX_REASONS
    if more > 0:
        yield Text(f"{table.name}  and {more} more reasons, in report.json", style="dim")


def _warnings(report: ValidationReport) -> Iterator[Text]:
    for table in report.tables:
        for warning in table.warnings:
            yield Text.assemble((f"{table.name}  ", "bold"), warning)


def _list_others(report: ValidationReport) -> Iterator[Text]:
    if report.absent:
        absent = join_names(report.absent, limit=len(report.absent))
        yield Text(f"Absent optional tables: {absent}.", style="dim")
    if report.ignored:
        more = f" and {report.ignored_more:,} more" if report.ignored_more else ""
        ignored = join_names(report.ignored, limit=len(report.ignored))
        yield Text(f"Ignored, not in the contract: {ignored}{more}.", style="dim")


def _describe_rest(report: ValidationReport) -> str:
    """Return whether the valid rows can be used: hardly, where most rows of a table are bad."""
    broken = [table.name for table in report.tables if table.rows_quarantined > table.rows_valid]
    if broken:
        return f", most rows of {join_names(broken)}: repair them before you use the others."
    return "; the others can be used."


def _verdict(report: ValidationReport) -> Text:
    if report.rows_quarantined == 0:
        return Text("All rows are valid.", style="bold green")
    rows_read = sum(table.rows_read for table in report.tables)
    return Text.assemble(
        (f"{report.rows_quarantined:,} of {rows_read:,} rows are quarantined", "bold yellow"),
        _describe_rest(report),
    )
