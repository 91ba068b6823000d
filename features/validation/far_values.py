"""Find quantities, prices and times far beyond the rest of their table: slips and broken clocks.

The rows stay valid; the report warns of them. Values are counted by power of two and by day, which
needs little memory and gives the same answer whatever the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from features.contract.columns import Table
from features.contract.tables import LISTINGS, ORDERS, PRICES, PRODUCTS, STOCK
from features.validation.fault_ledger import FaultLedger
from features.validation.report import MAX_EXAMPLES

MIN_ROWS: Final = 20
"""With fewer, nothing is the rest."""
TYPICAL_SHARE: Final = 0.95
MAX_RATIO: Final = 100
MAX_PRICE_RATIO: Final = 50
"""Prices of one listing are closer to each other; a lost decimal point makes a ratio of 100."""
MIN_SPAN: Final = timedelta(days=365)

MIN_LINES: Final = 1_000
"""With fewer order lines known, the units of a line have no limit."""
LARGE_LINE_SHARE: Final = 0.99
MAX_LINE_RATIO: Final = 10
"""Most units of a line that count, in multiples of a large line's, rounded up to a power of two
(features/dataset/limited_units.py)."""

LINE_UNITS: Final = (ORDERS.name, "units")
_AMOUNTS: Final = {
    LINE_UNITS: "1",
    (STOCK.name, "on_hand_units"): "1",
    (STOCK.name, "inbound_units"): "1",
    (LISTINGS.name, "list_price_minor"): "currency",
    (PRODUCTS.name, "unit_cost_minor"): "currency",
}
"""Columns whose values are compared with the others of the same group."""
_LISTING_PRICES: Final = {ORDERS.name: "unit_price_minor", PRICES.name: "price_minor"}

_POWERS: Final = """
SELECT {group}, CAST(floor(log2({column})) AS INTEGER) AS power, count(*) AS rows
FROM {table} WHERE {column} > 0 AND {group} IS NOT NULL GROUP BY ALL ORDER BY ALL
"""
_DAYS: Final = """
SELECT '', date_trunc('day', {column}) AS day, count(*) AS rows
FROM {table} WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY ALL
"""
_FIRST_ROWS: Final = "SELECT count(*), list_sort(min(row_number, {examples})) FROM {table} {where}"
_OFF_LIST_PRICE: Final = """
JOIN (SELECT listing_id, list_price_minor FROM listings) USING (listing_id)
WHERE {column} >= {ratio} * list_price_minor
    OR ({column} > 0 AND {ratio} * {column} <= list_price_minor)
"""


def find_far_values(ledger: FaultLedger, table: Table) -> Iterator[str]:
    """Yield warnings of rows with far too large amounts, odd prices or far-off times."""
    for name in table.columns:
        group = _AMOUNTS.get((table.name, name))
        if (table.name, name) == LINE_UNITS:
            yield from _find_large_lines(ledger)
        if group:
            yield from _find_large_amounts(ledger, table, name, group)
        elif _LISTING_PRICES.get(table.name) == name:
            where = _OFF_LIST_PRICE.format(column=name, ratio=MAX_PRICE_RATIO)
            why = f"{MAX_PRICE_RATIO} times or more above or below the list price"
            yield from _describe_rows(ledger, table, f"{name}: {{rows}} {why}", where)
        elif table.is_event and name in {"event_time", "available_at"}:
            yield from _find_far_times(ledger, table, name)


def _find_large_amounts(
    ledger: FaultLedger, table: Table, column: str, group: str
) -> Iterator[str]:
    powers = _count(ledger, _POWERS.format(table=table.name, column=column, group=group))
    limits = {
        member: MAX_RATIO * 2 ** (_find_quantile(rows, TYPICAL_SHARE) + 1)
        for member, rows in powers.items()
        if sum(rows.values()) >= MIN_ROWS
    }
    conditions = [
        f"({group} = '{member}' AND {column} > {limit})"
        for member, limit in limits.items()
        if 2 ** (max(powers[member]) + 1) > limit
    ]
    if conditions:
        why = f"more than {MAX_RATIO} times as large as nearly all others"
        where = f"WHERE {' OR '.join(conditions)}"
        yield from _describe_rows(ledger, table, f"{column}: {{rows}} {why}", where)


def _find_large_lines(ledger: FaultLedger) -> Iterator[str]:
    """Yield a warning of order lines that count as fewer units than they have.

    By the limit that all lines together set; a line's own one comes from the lines known before it.
    """
    powers = _count(ledger, _POWERS.format(table=ORDERS.name, column="units", group="1"))
    for rows in powers.values():
        limit = MAX_LINE_RATIO * 2 ** (_find_quantile(rows, LARGE_LINE_SHARE) + 1)
        if sum(rows.values()) >= MIN_LINES:
            why = f"above {limit:,}, {MAX_LINE_RATIO} times as many as nearly all lines have: a "
            why += "line counts as no more than such a limit, set by the lines known before it"
            sentence = f"units: {{rows}} {why}"
            yield from _describe_rows(ledger, ORDERS, sentence, f"WHERE units > {limit}")


def _find_far_times(ledger: FaultLedger, table: Table, column: str) -> Iterator[str]:
    days = _count(ledger, _DAYS.format(table=table.name, column=column)).get("", {})
    if sum(days.values()) < MIN_ROWS:
        return
    first, last = (_find_quantile(days, share) for share in (1 - TYPICAL_SHARE, TYPICAL_SHARE))
    span = max(last - first, MIN_SPAN)
    low, high = first - span, last + span + timedelta(days=1)
    if low <= min(days) and max(days) < high:
        return
    where = f"WHERE {column} < TIMESTAMP '{low}' OR {column} >= TIMESTAMP '{high}'"
    limits = f"before {low:%Y-%m-%d} or after {high:%Y-%m-%d}"
    sentence = f"{column}: {{rows}} far from nearly all others, {limits}"
    yield from _describe_rows(ledger, table, sentence, where)


def _count(ledger: FaultLedger, query: str) -> dict[Any, dict[Any, int]]:
    """Return the number of rows by group and, in ascending order, by value."""
    counts: dict[Any, dict[Any, int]] = {}
    for group, value, rows in ledger.connection.execute(query).fetchall():
        counts.setdefault(group, {})[value] = rows
    return counts


def _find_quantile(rows_by_value: Mapping[Any, int], share: float) -> Any:  # noqa: ANN401 - int or datetime
    """Return the lowest value that at least a share of the rows doesn't exceed."""
    needed, so_far = share * sum(rows_by_value.values()), 0
    for value, rows in rows_by_value.items():
        so_far += rows
        if so_far >= needed:
            return value
    return max(rows_by_value)


def _describe_rows(ledger: FaultLedger, table: Table, sentence: str, where: str) -> Iterator[str]:
    query = _FIRST_ROWS.format(table=table.name, examples=MAX_EXAMPLES, where=where)
    rows, examples = ledger.fetch_row(query)
    if rows:
        numbers = ", ".join(map(str, examples))
        more = ", …" if rows > len(examples) else ""
        count = f"{rows:,} rows are" if rows > 1 else "1 row is"
        yield f"{sentence.format(rows=count)} (row{'s' if rows > 1 else ''} {numbers}{more})"
