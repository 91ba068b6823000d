"""The report of a validation: rows read, valid and quarantined, with reasons.

It has no clock time, so that equal sources give equal reports, and no value of the data. Its length
doesn't grow with the data.
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
    """The number of rows with a reason; `examples` are the first row numbers, from 1."""

    reason: str
    rows: int
    examples: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class TableReport:
    """The counts of one table; `rows_read` is the sum of valid, dropped and quarantined rows.

    A quarantined row may have several reasons. `first_event` and `last_event` are the limits of
    the valid rows' `event_time` (naive UTC), None for tables without one.
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
        """Refuse counts that don't add up."""
        counted = self.rows_valid + self.rows_dropped + self.rows_quarantined
        if counted != self.rows_read:
            message = f"{self.name}: {self.rows_read} rows read, {counted} counted"
            raise ValueError(message)


@dataclass(frozen=True, kw_only=True)
class ValidationReport:
    """The counts of a whole source, with its tables in contract order.

    `absent` names the optional tables that the source lacks. `ignored` names files outside the
    contract, and `ignored_more` counts those beyond `MAX_NAMES`.
    """

    source: str
    tables: tuple[TableReport, ...]
    absent: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    ignored_more: int = 0

    @property
    def rows_quarantined(self) -> int:
        """Return the number of quarantined rows of all tables."""
        return sum(table.rows_quarantined for table in self.tables)

    def table(self, name: str) -> TableReport:
        """Return the counts of a table by its name."""
        return {table.name: table for table in self.tables}[name]

    def to_json(self) -> str:
        """Return the report as indented JSON with its format version; times are ISO 8601 in UTC."""
        document = {"format": FORMAT, **asdict(self)}
        return json.dumps(document, indent=2, ensure_ascii=False, default=_format_iso) + "\n"


def has_report(directory: Path) -> bool:
    """Return True for a directory with a validation report, so a result of a validation."""
    try:
        document = json.loads((directory / REPORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # RecursionError: hostile nesting
        return False
    return isinstance(document, dict) and document.get("format") == FORMAT


def read_report(directory: Path) -> ValidationReport:
    """Return the validation report in a directory.

    Raises:
        OSError: there is no report.
        msgspec.DecodeError: the file isn't a report as `ValidationReport.to_json` writes it.
    """
    report = msgspec.json.decode((directory / REPORT_FILE).read_bytes(), type=ValidationReport)
    return replace(report, tables=tuple(_drop_time_zone(table) for table in report.tables))


def _drop_time_zone(table: TableReport) -> TableReport:
    """Make the times naive; `msgspec` reads them with the zone UTC."""
    first, last = table.first_event, table.last_event
    return replace(
        table,
        first_event=None if first is None else first.replace(tzinfo=None),
        last_event=None if last is None else last.replace(tzinfo=None),
    )


def _format_iso(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"
