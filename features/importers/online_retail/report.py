"""The report of an import: counts that add up, and notes for users of the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.cells.mended import MISSING_WORD, WHOLE_FLOAT
from features.cells.text_columns import count_missing_words, count_whole_floats
from features.importers.online_retail.buyers import PUBLISHED_KEY
from features.importers.online_retail.cancellations import NO_PURCHASE, TOO_MANY
from features.importers.online_retail.date_order import DateOrder
from features.importers.online_retail.reasons import Action
from features.importers.online_retail.removal import RULES

FORMAT: Final = "xuanpin-import"
VERSION: Final = 1
ORDER: Final = "order"
MATCHED: Final = "cancellation_matched"
"""Outcomes of kept lines; the outcome of another line is a name in `REASONS`."""
REASONS: Final = {
    reason.name: reason for reason in (*(rule.reason for rule in RULES), NO_PURCHASE, TOO_MANY)
}
"""All reasons not to keep a line by name, in the order of the rules."""

ATTRIBUTION: Final = (
    "Online Retail, Daqing Chen, UCI Machine Learning Repository, doi 10.24432/C5BW33, CC BY 4.0."
)
ONE_TIME: Final = (
    "The source has one time: available_at equals event_time; in prices, both are the day's end."
)
FIRST_SALE: Final = (
    "A listing begins with its first known sale: listed_at and list_price_minor are that sale's."
)
NO_STOCK: Final = "The source has no stock: units offered will be imputed."
DATES_READ: Final = {
    DateOrder.DAY_FIRST: "Dates are read with the day first: 01/12/2010 is 1 December.",
    DateOrder.MONTH_FIRST: "Dates are read with the month first: 01/12/2010 is 12 January.",
}
WITH_PUBLISHED_KEY: Final = (
    "The buyers' pseudonyms use the published key: anyone with the customer numbers can reverse "
    "them. For private data, give a private key with --key FILE."
)
WITH_OWN_KEY: Final = "The buyers' pseudonyms use your key: anyone who has it can reverse them."


IDENTIFIERS: Final = ("InvoiceNo", "StockCode", "CustomerID")


class LineCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Lines by outcome; `read` is the sum of the others."""

    read: int
    orders: int
    cancellations_matched: int
    removed: int
    quarantined: int


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `import.json`; without a clock time, so equal input gives equal bytes."""

    format: str
    version: int
    attribution: str
    source_sha256: str
    lines: LineCounts
    removed: dict[str, int]
    quarantined: dict[str, int]
    rows: dict[str, int]
    markets: list[str]
    first_event: datetime
    last_event: datetime
    notes: list[str]


def describe_reading(source: pa.Table, order: DateOrder | None) -> Iterator[str]:
    """Yield notes on dates and identifiers that may mean something else than was read."""
    if order:
        yield DATES_READ[order]
    for name in IDENTIFIERS:
        if pa.types.is_string(source[name].type):
            words, floats = count_missing_words(source[name]), count_whole_floats(source[name])
            if words:
                yield f"{name}: {MISSING_WORD}, in {words:,} lines."
            if floats:
                yield f"{name}: {WHOLE_FLOAT}, in {floats:,} lines."


def make_report(
    outcomes: pd.Series[str],
    tables: Mapping[str, pa.Table],
    *,
    key: bytes,
    source_sha256: str,
    reading: Sequence[str] = (),
) -> ImportReport:
    """Count the lines by outcome and the rows of the tables; `reading` are notes on the cells."""
    counts = {str(name): int(count) for name, count in outcomes.value_counts().items()}
    removed = _count_by_reason(counts, Action.REMOVE)
    quarantined = _count_by_reason(counts, Action.QUARANTINE)
    span = pc.min_max(tables["orders"]["event_time"])
    return ImportReport(
        format=FORMAT,
        version=VERSION,
        attribution=ATTRIBUTION,
        source_sha256=source_sha256,
        lines=LineCounts(
            read=len(outcomes),
            orders=counts[ORDER],
            cancellations_matched=counts.get(MATCHED, 0),
            removed=sum(removed.values()),
            quarantined=sum(quarantined.values()),
        ),
        removed=removed,
        quarantined=quarantined,
        rows={name: table.num_rows for name, table in tables.items()},
        markets=sorted(pc.unique(tables["listings"]["market"]).to_pylist()),
        first_event=span["min"].as_py().replace(tzinfo=UTC),
        last_event=span["max"].as_py().replace(tzinfo=UTC),
        notes=[
            NO_STOCK,
            ONE_TIME,
            FIRST_SALE,
            *reading,
            WITH_PUBLISHED_KEY if key == PUBLISHED_KEY else WITH_OWN_KEY,
        ],
    )


def _count_by_reason(counts: dict[str, int], action: Action) -> dict[str, int]:
    names = (name for name, reason in REASONS.items() if reason.action is action)
    return {name: counts[name] for name in names if counts.get(name)}
