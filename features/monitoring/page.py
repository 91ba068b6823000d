"""The report of a check of values as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from features.monitoring.report import CheckReport, Finding, Severity, ValuesReport
from features.runtime.text import escape

INDENT: Final = 2


def values_page(report: ValuesReport) -> RenderableType:
    """Return the report in a form that a rich console prints."""
    against = "no reference" if report.reference is None else f"bundle {escape(report.reference)}"
    head = (
        f"{report.rows:,} decisions on {report.listings:,} listings, {report.first_day} to "
        f"{report.last_day}, as of {report.as_of}, against {against}"
    )
    skipped = [
        Text(f"\n{name}: skipped, {reason}", style="dim") for name, reason in report.skipped.items()
    ]
    return Group(
        Text(head),
        *(line for check in report.checks for line in _check_lines(check)),
        *skipped,
        _verdict(report),
    )


def _check_lines(report: CheckReport) -> Iterator[RenderableType]:
    finding_count = len(report.findings) + report.more
    style = "bold yellow" if finding_count else "bold"
    yield Text(
        f"\n{report.check}: {finding_count or 'nothing'} found in {report.judged:,}", style=style
    )
    lines = [_finding_line(finding) for finding in report.findings]
    if report.more:
        lines.append(Text(f"and {report.more:,} more, smaller ones", style="dim"))
    lines += [Text(remark, style="dim") for remark in report.remarks]
    yield from (Padding.indent(line, INDENT) for line in lines)


def _finding_line(finding: Finding) -> Text:
    style = "red" if finding.severity is Severity.ALARM else "yellow"
    examples = ", ".join(f"{escape(row.listing_id)} {row.value:.6g}" for row in finding.examples)
    return Text.assemble(
        (f"{finding.severity} ", style),
        (f"{finding.subject}  ", "bold"),
        finding.says,
        (f" ({examples})" if examples else "", "dim"),
    )


def _verdict(report: ValuesReport) -> Text:
    if not report.finding_count:
        return Text("\nNothing found.", style="bold green")
    return Text(f"\n{report.finding_count:,} found.", style="bold yellow")
