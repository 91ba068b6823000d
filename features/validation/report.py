"""The report of a validation: what was read, what is valid, what went to quarantine and why.

It names no clock time and no value of the data, so equal sources give equal reports, and it stays
short however large the data are.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

FORMAT: Final = "xuanpin-check/1"
REPORT_FILE: Final = "report.json"
MAX_EXAMPLES: Final = 5
MAX_NAMES: Final = 20


@dataclass(frozen=True)
class QuarantineReason:
    """Rows that share a reason; `examples` are the first row numbers, from 1."""

    reason: str
    rows: int
    examples: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class TableReport:
    """The account of one table: `rows_read` is valid plus dropped plus quarantined, exactly.

    A quarantined row may have several reasons. The span is that of the valid rows' `event_time`
    (naive UTC), None for tables without one.
    """

    name: str
    rows_read: int
    rows_valid: int
    rows_dropped: int
    rows_quarantined: int
    quarantined: tuple[QuarantineReason, ...] = ()
    first_event: datetime | None = None
    last_event: datetime | None = None
    null_available_at: int = 0
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an account that doesn't add up."""
        accounted = self.rows_valid + self.rows_dropped + self.rows_quarantined
        if accounted != self.rows_read:
            message = f"{self.name}: {self.rows_read} rows read, {accounted} accounted for"
            raise ValueError(message)


@dataclass(frozen=True, kw_only=True)
class ValidationReport:
    """The account of a whole source: tables in contract order, and what isn't one.

    `absent` names the optional tables that aren't there, `ignored` some of the names that the
    contract doesn't know, `ignored_more` how many others there are.
    """

    source: str
    tables: tuple[TableReport, ...]
    absent: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    ignored_more: int = 0

    @property
    def rows_quarantined(self) -> int:
        """Return how many rows went to quarantine, over all tables."""
        return sum(table.rows_quarantined for table in self.tables)

    def table(self, name: str) -> TableReport:
        """Return the account of a table by its name."""
        return {table.name: table for table in self.tables}[name]

    def to_json(self) -> str:
        """Return the report as indented JSON with a format mark; times are ISO 8601 in UTC."""
        document = {"format": FORMAT, **asdict(self)}
        return json.dumps(document, indent=2, ensure_ascii=False, default=_format_iso) + "\n"


def has_report(directory: Path) -> bool:
    """Tell whether a directory holds a report of ours, and so is a result of a validation."""
    try:
        document = json.loads((directory / REPORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # the last by hostile nesting
        return False
    return isinstance(document, dict) and document.get("format") == FORMAT


def read_report(directory: Path) -> ValidationReport:
    """Return the report that a validation left in a directory.

    Raises:
        OSError: there is none.
        msgspec.DecodeError: it isn't a report as `ValidationReport.to_json` writes it.
    """
    written = msgspec.json.decode((directory / REPORT_FILE).read_bytes(), type=ValidationReport)
    return replace(written, tables=tuple(_drop_time_zone(table) for table in written.tables))


def _drop_time_zone(table: TableReport) -> TableReport:
    """Take the mark of UTC off the times, which `msgspec` keeps."""
    first, last = table.first_event, table.last_event
    return replace(
        table,
        first_event=None if first is None else first.replace(tzinfo=None),
        last_event=None if last is None else last.replace(tzinfo=None),
    )


def _format_iso(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"
