"""Make the five tables of the contract that the source can fill."""

from __future__ import annotations

from typing import Final

import pandas as pd
import pyarrow as pa

from features.contract.columns import ARROW_TYPES, Table, column_kind
from features.importers.online_retail.cancellations import Return
from features.importers.online_retail.category_rules import categorise

CURRENCY: Final = "GBP"
"""The shop invoices all countries in pounds."""
RETURN_REASON: Final = "unspecified"
"""The source has no reasons of cancellations."""
_MAX_TITLE_LENGTH: Final = 2_000


def order_lines(sales: pd.DataFrame) -> pd.DataFrame:
    """Return `orders` in order of time.

    `sales` holds the sales among the lines of `parse_lines`, with `listing_id` and `buyer_key`.
    The source has one time, so an order becomes known when it happens.
    """
    ordered = sales.sort_values(["event_time", "row_number"])
    return pd.DataFrame(
        {
            "order_line_id": ordered["order_line_id"],
            "order_id": ordered["invoice"],
            "listing_id": ordered["listing_id"],
            "buyer_key": ordered["buyer_key"],
            "units": ordered["units"],
            "unit_price_minor": ordered["price_minor"],
            "event_time": ordered["event_time"],
            "available_at": ordered["event_time"],
        }
    )


def return_events(lines: pd.DataFrame, returns: list[Return]) -> pd.DataFrame:
    """Return `returns`: the cancelled units of each order line, summed by time.

    `lines` is the result of `parse_lines`.
    """
    by_row = lines.set_index("row_number")
    matched = pd.DataFrame(returns, columns=list(Return._fields)).astype("int64")
    events = pd.DataFrame(
        {
            "order_line_id": by_row["order_line_id"].reindex(matched["purchase"]).array,
            "event_time": by_row["event_time"].reindex(matched["cancellation"]).array,
            "units": matched["units"],
        }
    )
    summed = events.groupby(["event_time", "order_line_id"], as_index=False).agg(
        units=("units", "sum")
    )
    return summed.assign(reason=RETURN_REASON, available_at=summed["event_time"])


def listings(sales: pd.DataFrame) -> pd.DataFrame:
    """Return `listings`: a product in a market, from its first known sale on.

    The time and the price of that sale are taken as `listed_at` and `list_price_minor`.
    """
    first = sales.sort_values(["event_time", "row_number"]).drop_duplicates("listing_id")
    return pd.DataFrame(
        {
            "listing_id": first["listing_id"],
            "product_id": first["product_id"],
            "market": first["market"],
            "listed_at": first["event_time"],
            "list_price_minor": first["price_minor"],
            "currency": CURRENCY,
        }
    ).sort_values("listing_id")


def products(sales: pd.DataFrame) -> pd.DataFrame:
    """Return `products`; the title is the description of a product's first sale.

    The most frequent description would look ahead. The category follows from the title.
    """
    ordered = sales.sort_values(["event_time", "row_number"])
    titles = ordered.groupby("product_id")["description"].first().str.slice(0, _MAX_TITLE_LENGTH)
    rules = [categorise(title) for title in titles.fillna("")]
    return pd.DataFrame(
        {
            "product_id": titles.index,
            "title": titles.to_numpy(),
            "category": [rule.category for rule in rules],
            "parent_category": [rule.parent_category for rule in rules],
        }
    )


def price_changes(sales: pd.DataFrame, listings: pd.DataFrame) -> pd.DataFrame:
    """Return `prices`: a row where a listing's price of the day differs from the day before.

    The price of a day is the lower median of its order lines' prices, so a price really paid. It
    becomes known at the end of the day, the next UTC midnight. The first day is compared with the
    list price in `listings`.
    """
    daily = _daily_median(sales)
    start = listings.set_index("listing_id")["list_price_minor"]
    before = daily.groupby("listing_id")["price_minor"].shift()
    before = before.fillna(daily["listing_id"].map(start))
    changed = daily[daily["price_minor"] != before]
    return changed.assign(available_at=changed["event_time"])


def _daily_median(sales: pd.DataFrame) -> pd.DataFrame:
    day = sales["event_time"].dt.ceil("D").rename("event_time")
    ordered = sales[["listing_id", "price_minor"]].assign(event_time=day)
    ordered = ordered.sort_values(["listing_id", "event_time", "price_minor"])
    days = ordered.groupby(["listing_id", "event_time"], sort=False)["price_minor"]
    is_lower_median = days.cumcount() == (days.transform("size") - 1) // 2
    return ordered[is_lower_median]


def conform_table(table: Table, frame: pd.DataFrame) -> pa.Table:
    """Return a frame with the columns, order and types of a table; its times are naive UTC.

    An optional column that the frame lacks stays absent; a required one becomes null. The Arrow
    table has no pandas metadata, so that equal rows make equal files.
    """
    types = {name: ARROW_TYPES[column_kind(column)] for name, column in table.columns.items()}
    columns = {
        name: pa.array(frame[name], type=types[name], from_pandas=True)
        if name in frame
        else pa.nulls(len(frame), types[name])
        for name, column in table.columns.items()
        if name in frame or column.required
    }
    return pa.table(columns)
