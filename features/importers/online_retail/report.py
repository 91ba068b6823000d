"""What an import says about itself: counts that add up, and what nobody should forget."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.importers.online_retail.buyers import PUBLISHED_KEY
from features.importers.online_retail.cancellations import NO_PURCHASE, TOO_MANY
from features.importers.online_retail.fates import Fate
from features.importers.online_retail.removal import RULES

FORMAT: Final = "xuanpin-import"
VERSION: Final = 1
ORDER: Final = "order"
MATCHED: Final = "cancellation_matched"
"""The outcomes of lines that are kept; those of others are names of `REASONS`."""
REASONS: Final = {
    reason.name: reason for reason in (*(rule.reason for rule in RULES), NO_PURCHASE, TOO_MANY)
}
"""Every reason for which a line isn't kept, by name, in the order of the rules."""

ATTRIBUTION: Final = (
    "Online Retail, Daqing Chen, UCI Machine Learning Repository, doi 10.24432/C5BW33, CC BY 4.0."
)
ONE_TIME: Final = (
    "The source knows one time: available_at is event_time; in prices, both are the day's end."
)
FIRST_SALE: Final = (
    "A listing begins with its first sale known: listed_at and list_price_minor are that sale's."
)
NO_STOCK: Final = "No stock in this source: units offered will be imputed."
WITH_PUBLISHED_KEY: Final = (
    "Buyers' pseudonyms are made with the published key: whoever has the customers' numbers can "
    "reverse them. For data of your own, name a key of your own with --key FILE."
)
WITH_OWN_KEY: Final = "Buyers' pseudonyms are made with your key: whoever has it can reverse them."


class LineCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Where the lines went; `read` is the sum of the others."""

    read: int
    orders: int
    cancellations_matched: int
    removed: int
    quarantined: int


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in `import.json`: equal for equal input and key, so it names no clock time."""

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


def make_report(
    outcomes: pd.Series[str], tables: Mapping[str, pa.Table], *, key: bytes, source_sha256: str
) -> ImportReport:
    """Count the lines by outcome, and the rows of the tables made of them."""
    counts = {str(name): int(count) for name, count in outcomes.value_counts().items()}
    removed = _count_by_reason(counts, Fate.REMOVED)
    quarantined = _count_by_reason(counts, Fate.QUARANTINED)
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
            WITH_PUBLISHED_KEY if key == PUBLISHED_KEY else WITH_OWN_KEY,
        ],
    )


def _count_by_reason(counts: dict[str, int], fate: Fate) -> dict[str, int]:
    named = ((name, counts.get(name, 0)) for name, reason in REASONS.items() if reason.fate is fate)
    return {name: count for name, count in named if count}
