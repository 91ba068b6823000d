"""Warn of suspicious content in the valid rows of a table: rows are counted, never shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from features.contract.columns import Privacy, Table, column_privacy
from features.contract.tables import RETURNS
from features.declarations.vocabulary import USUAL_CANCELLATION_DAYS
from features.validation.fault_ledger import FaultLedger
from features.validation.report import MAX_EXAMPLES

E_MAIL: Final = r"[\w.+-]+@[\w-]+(\.[\w-]+)+"
PHONE: Final = r"(\+|\b00)\d([ ().\-]?\d){7,14}\b|\b1[3-9]\d[ \-]?\d{4}[ \-]?\d{4}\b"
"""An international phone number, or a Chinese mobile number."""

_TIMES: Final = (
    "SELECT min(event_time), max(event_time), count(*) FILTER (WHERE available_at IS NULL)"
    " FROM {table}"
)
_PERSONAL: Final = (
    "SELECT count(*) FROM {table}"
    " WHERE regexp_matches({column}, $e_mail) OR regexp_matches({column}, $phone)"
)
_CANCELLATIONS: Final = """
SELECT count(*), sum(returns.units), list_sort(min(returns.row_number, {examples}))
FROM returns JOIN orders USING (order_line_id)
WHERE returns.available_at <= orders.event_time + INTERVAL {days} DAY
"""


@dataclass(frozen=True)
class EventTimes:
    """First and last time of a table's valid rows (naive UTC), and how many are never visible."""

    first_event: datetime | None = None
    last_event: datetime | None = None
    null_available_at: int = 0


def read_event_times(ledger: FaultLedger, table: Table) -> EventTimes:
    """Return the event times of a table's surviving rows; empty for a table without events."""
    if not table.is_event:
        return EventTimes()
    statement = _TIMES.format(table=table.name)
    first, last, null_rows = ledger.fetch_row(statement)
    return EventTimes(first, last, int(null_rows))


def describe_mended(mended: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """Yield warnings of the cells that were read as something else than they say."""
    for (column, cells), rows in mended.items():
        yield f"{column}: {'1 row holds' if rows == 1 else f'{rows:,} rows hold'} {cells}"


def find_warnings(ledger: FaultLedger, table: Table, times: EventTimes) -> Iterator[str]:
    """Yield warnings of personal data in free texts, of cancellations and of invisible rows."""
    for name, column in table.columns.items():
        if column_privacy(column) is Privacy.FREE_TEXT:
            rows = _count_personal_rows(ledger, table, name)
            if rows:
                yield f"{name}: {rows:,} rows seem to hold e-mail addresses or phone numbers"
    if table is RETURNS:
        yield from _describe_cancellations(ledger)
    if times.null_available_at:
        yield f"available_at: null in {times.null_available_at:,} rows, which will never be visible"


def _count_personal_rows(ledger: FaultLedger, table: Table, column: str) -> int:
    statement = _PERSONAL.format(table=table.name, column=column)
    (rows,) = ledger.fetch_row(statement, {"e_mail": E_MAIL, "phone": PHONE})
    return int(rows)


def _describe_cancellations(ledger: FaultLedger) -> Iterator[str]:
    """Yield a warning of units that were taken back at once, by the default of the settings."""
    query = _CANCELLATIONS.format(days=USUAL_CANCELLATION_DAYS, examples=MAX_EXAMPLES)
    rows, units, examples = ledger.fetch_row(query)
    if rows:
        numbers = ", ".join(map(str, examples))
        more = ", …" if rows > len(examples) else ""
        subject = f"{rows:,} rows are" if rows > 1 else "1 row is"
        yield (
            f"units: {subject} known within a day of the order (row{'s' if rows > 1 else ''} "
            f"{numbers}{more}); the units, {units:,} in all, count as cancelled, neither sold nor "
            "returned"
        )
