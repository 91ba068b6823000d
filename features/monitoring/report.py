"""The report of a check of values; its size is bounded for any number of findings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

FORMAT: Final = "xuanpin-features-check/1"
MAX_FINDINGS: Final = 20
MAX_EXAMPLES: Final = 5


class CheckKind(StrEnum):
    """The kinds of checks."""

    BOUNDS = "bounds"
    ALL_NULL = "all null"
    NULL_SHARE = "null share"
    FRESHNESS = "freshness"
    DRIFT = "drift"


class Severity(StrEnum):
    """The severity of a finding."""

    NOTICE = "notice"
    ALARM = "alarm"


@dataclass(frozen=True)
class Example:
    """A row with the problem of a finding."""

    listing_id: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A problem of a feature or a table.

    `size` orders the findings of a check: it is a number of rows, a stability index, or an age as a
    multiple of the limit.
    """

    subject: str
    severity: Severity
    size: float
    says: str
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """The findings of one check, the worst first: at most `MAX_FINDINGS`, and the number of others.

    `judged` counts the features or tables that were checked; `remarks` names what was not.
    """

    check: CheckKind
    judged: int
    findings: tuple[Finding, ...]
    more: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ValuesReport:
    """The reports of all checks; days are ISO dates, `reference` is None without a bundle."""

    rows: int
    listings: int
    first_day: str
    last_day: str
    as_of: str
    catalogue_fingerprint: str
    reference: str | None
    checks: tuple[CheckReport, ...]
    skipped: dict[str, str]

    @property
    def finding_count(self) -> int:
        """Return the number of findings."""
        return sum(len(report.findings) + report.more for report in self.checks)

    def to_json(self) -> str:
        """Return the report as indented JSON with a format mark."""
        document = {"format": FORMAT, "found": self.finding_count, **asdict(self)}
        return json.dumps(document, indent=2, ensure_ascii=False, default=_plain) + "\n"


def keep_worst(
    check: CheckKind, judged: int, findings: Iterable[Finding], remarks: Iterable[str] = ()
) -> CheckReport:
    """Keep the worst findings of a check and count the rest: alarms first, then by size."""
    worst = sorted(
        findings,
        key=lambda item: (item.severity is Severity.NOTICE, -item.size, item.subject),
    )
    return CheckReport(
        check=check,
        judged=judged,
        findings=tuple(worst[:MAX_FINDINGS]),
        more=max(0, len(worst) - MAX_FINDINGS),
        remarks=tuple(remarks),
    )


def _plain(value: Any) -> str:  # noqa: ANN401 - any type that JSON lacks
    return str(value)
