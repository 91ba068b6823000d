"""Import Online Retail in memory: lines in; tables, quarantine and report out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from features.contract.tables import LISTINGS, ORDERS, PRICES, PRODUCTS, RETURNS
from features.importers.online_retail import tables
from features.importers.online_retail.buyers import buyer_key
from features.importers.online_retail.cancellations import Return, match_cancellations
from features.importers.online_retail.date_order import DateOrder
from features.importers.online_retail.lines import parse_lines
from features.importers.online_retail.local_times import find_date_order
from features.importers.online_retail.reasons import Action
from features.importers.online_retail.removal import classify_lines
from features.importers.online_retail.report import (
    MATCHED,
    ORDER,
    REASONS,
    ImportReport,
    describe_reading,
    make_report,
)
from features.importers.online_retail.source import CUSTOMER, SOURCE_NAMES, EmptySourceError
from features.runtime.progress import ProgressCallback, ignore_progress

_QUARANTINE_REASONS: Final = [
    name for name, reason in REASONS.items() if reason.action is Action.QUARANTINE
]


@dataclass(frozen=True)
class ImportResult:
    """An imported data set: tables of the contract by name, the quarantine, the report."""

    tables: dict[str, pa.Table]
    quarantine: pa.Table
    report: ImportReport


def import_lines(
    source: pa.Table,
    *,
    key: bytes,
    source_sha256: str,
    order: DateOrder | None = None,
    progress: ProgressCallback = ignore_progress,
) -> ImportResult:
    """Turn the lines of the source into tables of the contract.

    Each line becomes an order line or a matched cancellation, or is removed or quarantined. Equal
    source and key give equal tables. `order` is that of dates with the year last; by default the
    whole column tells it.

    Raises:
        OpenDateOrderError: no date tells the order of day and month.
        MixedDateOrderError: some dates have the day first, and some the month.
        EmptySourceError: no line is a sale of a product.
    """
    progress(f"Reading {source.num_rows:,} lines")
    order = order or find_date_order(source["InvoiceDate"])
    lines = parse_lines(source, order)
    progress("Matching cancellations to purchases")
    outcomes, returns = _classify_and_match(lines)
    if not (outcomes == ORDER).any():
        raise EmptySourceError(source.num_rows)
    progress("Making tables")
    lines = _add_buyer_keys(lines, key)
    contract_tables = _make_tables(lines, outcomes, returns)
    return ImportResult(
        tables=contract_tables,
        quarantine=quarantine_lines(source, outcomes, lines["buyer_key"]),
        report=make_report(
            outcomes,
            contract_tables,
            key=key,
            source_sha256=source_sha256,
            reading=list(describe_reading(source, order)),
        ),
    )


def _add_buyer_keys(lines: pd.DataFrame, key: bytes) -> pd.DataFrame:
    customers = lines["customer"].dropna().unique()
    keys = {customer: buyer_key(customer, key) for customer in customers}
    return lines.assign(buyer_key=lines["customer"].map(keys).astype("str"))


def _classify_and_match(lines: pd.DataFrame) -> tuple[pd.Series[str], list[Return]]:
    """Return the outcome of each line, and the returns made of the matched cancellations."""
    outcomes = classify_lines(lines)
    kept = lines[outcomes.isna()]
    # A kept line is an order or a cancellation; a cancellation counts as matched until refused.
    outcomes = outcomes.where(lines["is_cancellation"] | outcomes.notna(), ORDER).fillna(MATCHED)
    matches = match_cancellations(kept[kept["customer"].notna()])
    refused = {row: reason.name for row, reason in matches.refused.items()}
    return lines["row_number"].map(refused).astype("str").fillna(outcomes), matches.returns


def _make_tables(
    lines: pd.DataFrame, outcomes: pd.Series[str], returns: list[Return]
) -> dict[str, pa.Table]:
    sales = lines[outcomes == ORDER]
    sales = sales.assign(listing_id=sales["market"] + "-" + sales["product_id"])
    listings = tables.listings(sales)
    frames = (
        (PRODUCTS, tables.products(sales)),
        (LISTINGS, listings),
        (PRICES, tables.price_changes(sales, listings)),
        (ORDERS, tables.order_lines(sales)),
        (RETURNS, tables.return_events(lines, returns)),
    )
    return {table.name: tables.conform_table(table, frame) for table, frame in frames}


def quarantine_lines(
    source: pa.Table, outcomes: pd.Series[str], buyer_keys: pd.Series[str]
) -> pa.Table:
    """Return the quarantined lines as text, with `row_number` (from 1), `buyer_key`, `reason`.

    The customer number is left out: outside the source, buyers appear only as pseudonyms.
    """
    rows = np.flatnonzero(outcomes.isin(_QUARANTINE_REASONS))
    lines = source.take(pa.array(rows))
    cells = {name: lines[name].cast(pa.string()) for name in SOURCE_NAMES if name != CUSTOMER}
    return pa.table(
        {
            "row_number": pa.array(rows + 1, type=pa.int64()),
            **cells,
            "buyer_key": pa.array(buyer_keys.iloc[rows], type=pa.string(), from_pandas=True),
            "reason": pa.array(outcomes.iloc[rows], type=pa.string()),
        }
    )
