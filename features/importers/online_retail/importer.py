"""The import as a whole: lines in, tables, quarantine and report out. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from features.contract.tables import LISTINGS, ORDERS, PRICES, PRODUCTS, RETURNS
from features.importers.online_retail import tables
from features.importers.online_retail.buyers import buyer_key
from features.importers.online_retail.cancellations import Return, match_cancellations
from features.importers.online_retail.lines import parse_lines
from features.importers.online_retail.quarantine import quarantine_table
from features.importers.online_retail.removal import classify_lines
from features.importers.online_retail.report import MATCHED, ORDER, ImportReport, make_report
from features.importers.online_retail.shape import conform_table
from features.importers.online_retail.source import EmptySourceError


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
    progress: Callable[[str], None],
) -> ImportResult:
    """Turn the source into tables of the contract; `progress` hears what is being done.

    Every line of the source ends as an order line, as a matched cancellation, removed or in
    quarantine. Equal source and key give equal tables.

    Raises:
        EmptySourceError: no line is a sale of a product.
    """
    progress(f"Reading {source.num_rows:,} lines")
    lines = parse_lines(source)
    progress("Matching cancellations to purchases")
    outcomes, returns = _outcomes(lines)
    if not (outcomes == ORDER).any():
        raise EmptySourceError(source.num_rows)
    progress("Making tables")
    customers = lines["customer"].dropna().unique()
    keys = {customer: buyer_key(customer, key) for customer in customers}
    lines = lines.assign(buyer_key=lines["customer"].map(keys).astype("str"))
    made = _tables(lines, outcomes, returns)
    return ImportResult(
        tables=made,
        quarantine=quarantine_table(source, outcomes, lines["buyer_key"]),
        report=make_report(outcomes, made, key=key, source_sha256=source_sha256),
    )


def _outcomes(lines: pd.DataFrame) -> tuple[pd.Series[str], list[Return]]:
    """Name for each line what became of it, and the returns that the cancellations were."""
    outcomes = classify_lines(lines)
    kept = lines[outcomes.isna()]
    # What judge kept is an order, or a cancellation: matched, unless it is refused below.
    outcomes = outcomes.where(lines["is_cancellation"] | outcomes.notna(), ORDER).fillna(MATCHED)
    matches = match_cancellations(kept[kept["customer"].notna()])
    refused = {row: reason.name for row, reason in matches.refused.items()}
    return lines["row_number"].map(refused).astype("str").fillna(outcomes), matches.returns


def _tables(
    lines: pd.DataFrame, outcomes: pd.Series[str], returns: list[Return]
) -> dict[str, pa.Table]:
    sales = lines[outcomes == ORDER]
    sales = sales.assign(listing_id=sales["market"] + "-" + sales["product_id"])
    listed = tables.listings(sales)
    frames = (
        (PRODUCTS, tables.products(sales)),
        (LISTINGS, listed),
        (PRICES, tables.price_changes(sales, listed)),
        (ORDERS, tables.order_lines(sales)),
        (RETURNS, tables.return_events(lines, returns)),
    )
    return {table.name: conform_table(table, frame) for table, frame in frames}
