"""The five tables of the contract that the transactions fill."""

from __future__ import annotations

from typing import Final

import pandas as pd

from features.importers.online_retail.cancellations import Return
from features.importers.online_retail.categories import categorise

CURRENCY: Final = "GBP"
"""The shop invoices every country in pounds."""
RETURN_REASON: Final = "unspecified"
"""The source never says why something was cancelled."""
_MAX_TITLE_LENGTH: Final = 2_000


def order_lines(sales: pd.DataFrame) -> pd.DataFrame:
    """Return `orders`, in the order of time.

    `sales` are lines of `parse_lines` that are kept as sales, with `listing_id` and `buyer_key`.
    The source knows one time, so an order is known when it happens.
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
    """Return `returns`: what cancellations took back of each order line, added up by time.

    `lines` are those of `parse_lines`, among them each purchase and each cancellation.
    """
    by_row = lines.set_index("row_number")
    matched = pd.DataFrame(returns, columns=list(Return._fields)).astype("int64")
    named = pd.DataFrame(
        {
            "order_line_id": by_row["order_line_id"].reindex(matched["purchase"]).array,
            "event_time": by_row["event_time"].reindex(matched["cancellation"]).array,
            "units": matched["units"],
        }
    )
    summed = named.groupby(["event_time", "order_line_id"], as_index=False).agg(
        units=("units", "sum")
    )
    return summed.assign(reason=RETURN_REASON, available_at=summed["event_time"])


def listings(sales: pd.DataFrame) -> pd.DataFrame:
    """Return `listings`: a product in a market, from the first sale known on.

    That sale's time stands for the time it went live, and its price for the price then.
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
    """Return `products`, each titled with the first description that it was sold under.

    Not with the most frequent one: that would look ahead. The category follows from the title.
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


def price_changes(sales: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """Return `prices`: a row when a listing's price of the day differs from the one before.

    The price of a day is the lower median of its order lines' prices, a price really paid. It is
    known when the day is over, at the next UTC midnight, which is the tick of the engine. The
    first day is compared with the price in `listed`.
    """
    daily = _daily_median(sales)
    start = listed.set_index("listing_id")["list_price_minor"]
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
