"""Rules across rows and tables: duplicates, missing parents, times and currencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from features.contract.columns import Table
from features.contract.tables import (
    DELIVERIES,
    LISTINGS,
    LOCALISATION,
    ORDERS,
    POLICY_EVENTS,
    PRICES,
    PRODUCTS,
    RETURNS,
    REVIEWS,
    STOCK,
    TABLES,
    VIDEO_STATS,
    VIDEOS,
)
from features.validation.fault_ledger import IDENTICAL_DUPLICATE, FaultLedger

CUT_OFF_AVAILABILITY: Final = (
    "available_at: event_time without its fraction, seconds or time of day, so earlier than it; "
    "round available_at up"
)


@dataclass(frozen=True)
class TableRule:
    """A query `rows` for the `row_number` of the rows to remove from a table.

    The query reads the surviving rows of any table by the table's name.
    """

    table: Table
    reason: str
    rows: str


# Only keys whose hash occurs twice are compared; a hash collision does no harm.
_SUSPECTS: Final = """
    SELECT * FROM {table} WHERE hash({key}) IN
        (SELECT hash({key}) FROM {table} GROUP BY hash({key}) HAVING count(*) > 1)
"""
_LATER_COPIES: Final = """
SELECT row_number FROM (
    SELECT row_number, row_number() OVER (PARTITION BY {columns} ORDER BY row_number) AS copy
    FROM ({suspects})
) WHERE copy > 1
"""
_SAME_KEY: Final = """
SELECT row_number FROM (
    SELECT row_number, count(*) OVER (PARTITION BY {key}) AS rows FROM ({suspects})
) WHERE rows > 1
"""
_ORPHANS: Final = "SELECT row_number FROM {table} ANTI JOIN {parent} USING ({column})"
_KNOWN_BEFORE: Final = "SELECT row_number FROM {table} WHERE available_at < event_time"
_CUT_OFF: Final = """
SELECT row_number FROM {table} WHERE available_at < event_time AND available_at IN (
    date_trunc('second', event_time), date_trunc('minute', event_time),
    date_trunc('day', event_time)
)
"""
_OTHER_CURRENCY: Final = """
WITH counted AS (SELECT market, currency, count(*) AS rows FROM listings GROUP BY ALL),
chosen AS (
    SELECT market, first(currency ORDER BY rows DESC, currency) AS chosen
    FROM counted GROUP BY market
)
SELECT row_number FROM listings JOIN chosen USING (market) WHERE currency <> chosen
"""
_BEFORE_ORDER: Final = """
SELECT row_number FROM {table}
JOIN (SELECT order_line_id, event_time AS ordered FROM orders) USING (order_line_id)
WHERE event_time < ordered
"""
_MORE_THAN_BOUGHT: Final = """
SELECT row_number FROM (
    SELECT row_number, order_line_id,
        sum(units) OVER (
            PARTITION BY order_line_id ORDER BY available_at NULLS LAST, event_time, row_number
        ) AS so_far
    FROM returns
) JOIN (SELECT order_line_id, units AS bought FROM orders) USING (order_line_id)
WHERE so_far > bought
"""


def _key_rules(table: Table) -> tuple[TableRule, TableRule]:
    key = ", ".join(table.key)
    columns = ", ".join(f'"{name}"' for name in table.columns)
    suspects = _SUSPECTS.format(table=table.name, key=key)
    copies = _LATER_COPIES.format(columns=columns, suspects=suspects)
    return (
        TableRule(table, IDENTICAL_DUPLICATE, copies),
        TableRule(table, "conflicting_duplicate", _SAME_KEY.format(key=key, suspects=suspects)),
    )


def _availability_rules(table: Table) -> tuple[TableRule, TableRule]:
    cut_off = _CUT_OFF.format(table=table.name)
    known_before = _KNOWN_BEFORE.format(table=table.name)
    return (
        TableRule(table, CUT_OFF_AVAILABILITY, cut_off),
        TableRule(table, "available_before_it_happened", known_before),
    )


def _parent_rule(table: Table, column: str, parent: Table) -> TableRule:
    rows = _ORPHANS.format(table=table.name, parent=parent.name, column=column)
    return TableRule(table, f"no_valid_{column.removesuffix('_id')}", rows)


def _order_time_rule(table: Table) -> TableRule:
    return TableRule(table, "before_its_order", _BEFORE_ORDER.format(table=table.name))


RULES: Final = (
    *(rule for table in TABLES for rule in _key_rules(table)),
    *(rule for table in TABLES if table.is_event for rule in _availability_rules(table)),
    _parent_rule(LISTINGS, "product_id", PRODUCTS),
    TableRule(LISTINGS, "currency_not_the_markets", _OTHER_CURRENCY),
    *(
        _parent_rule(table, "listing_id", LISTINGS)
        for table in (PRICES, STOCK, ORDERS, REVIEWS, VIDEOS, LOCALISATION, POLICY_EVENTS)
    ),
    _parent_rule(DELIVERIES, "order_line_id", ORDERS),
    _order_time_rule(DELIVERIES),
    _parent_rule(RETURNS, "order_line_id", ORDERS),
    _order_time_rule(RETURNS),
    TableRule(RETURNS, "more_than_bought", _MORE_THAN_BOUGHT),
    _parent_rule(VIDEO_STATS, "video_id", VIDEOS),
)
"""All rules in the order of application; each sees the rows that the earlier ones left.

Parents come before children, so that the children of a removed row are removed too. A removed row
has one reason. A market's currency is the most frequent currency of its listings; of equally
frequent ones, the first in the alphabet.
"""


MEANINGS: Final = {
    "conflicting_duplicate": "another row has the same key and other values",
    "available_before_it_happened": "available_at is before event_time",
    "currency_not_the_markets": "most listings of the market have another currency",
    "before_its_order": "earlier than its order",
    "more_than_bought": "more units come back than were bought",
    **{
        f"no_valid_{column.removesuffix('_id')}": f"no valid row of {parent.name} has its {column}"
        for column, parent in (
            ("product_id", PRODUCTS),
            ("listing_id", LISTINGS),
            ("order_line_id", ORDERS),
            ("video_id", VIDEOS),
        )
    },
}
"""The meaning of each code; other reasons are words already."""


def describe_reason(reason: str) -> str:
    """Return a reason with the meaning of its code."""
    return f"{reason}: {MEANINGS[reason]}" if reason in MEANINGS else reason


def apply_rules(ledger: FaultLedger, present: frozenset[str]) -> None:
    """Apply the rules to the tables that the source has."""
    for rule in RULES:
        if rule.table.name in present:
            ledger.remove(rule.table, rule.rows, rule.reason)
