"""Describe the report of an import as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

from features.importers.online_retail.report import REASONS, ImportReport

_WIDTH: Final = 92


def describe(report: ImportReport) -> str:
    """Return the counts and notes of an import as one screen of text."""
    return "\n".join(
        (*_describe_lines(report), "", *_describe_rows(report), "", *_wrap_notes(report))
    )


def _describe_lines(report: ImportReport) -> Iterator[str]:
    counts = report.lines
    yield f"{counts.read:>9,}  lines read"
    yield f"{counts.orders:>9,}  kept as order lines"
    yield f"{counts.cancellations_matched:>9,}  cancellations matched to earlier purchases"
    yield f"{counts.removed:>9,}  removed: no sales of products"
    yield from _describe_reasons(report.removed)
    yield f"{counts.quarantined:>9,}  quarantined (quarantine.parquet)"
    yield from _describe_reasons(report.quarantined)


def _describe_reasons(counts: Mapping[str, int]) -> Iterator[str]:
    widest = max(map(len, counts), default=0)
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{count:>15,}  {name:<{widest}}  {REASONS[name].why}"


def _describe_rows(report: ImportReport) -> Iterator[str]:
    yield from (f"{rows:>9,}  rows of {table}" for table, rows in report.rows.items())
    span = f"{report.first_event:%Y-%m-%d} to {report.last_event:%Y-%m-%d}"
    yield f"{len(report.markets):>9,}  markets, {span}"


def _wrap_notes(report: ImportReport) -> Iterator[str]:
    for note in (*report.notes, report.attribution):
        yield textwrap.fill(note, _WIDTH)
