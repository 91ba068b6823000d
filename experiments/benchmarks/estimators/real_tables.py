"""Tables of real shares: products of Complete Journey, and listings and order lines of a shop."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from experiments.benchmarks.complete_journey.products import (
    ATTRIBUTES,
    BUYERS,
    REPEAT_SHARE,
    SHELF_PRICE,
    NoPackageError,
    read_products,
)
from experiments.benchmarks.estimators.labelled_tables import LabelledTable

MAX_ORDER_LINES: Final = 20_000
LISTING_COLUMNS: Final = ("product_id", "category", "parent_category", "market", "list_price_minor")
LINE_COLUMNS: Final = (*LISTING_COLUMNS, "buyer_key", "units", "unit_price_minor", "month", "hour")


def read_journey() -> tuple[list[LabelledTable], str | None]:
    """Return the products of Complete Journey, or no table and the reason."""
    try:
        products = read_products()
    except NoPackageError as error:
        return [], f"Complete Journey is skipped: {error.problem} {error.hint}"
    names = [*ATTRIBUTES, SHELF_PRICE]
    frame = products[names].assign(manufacturer_id=products["manufacturer_id"].astype(str))
    share = products[REPEAT_SHARE].to_numpy(np.float64)
    trials = products[BUYERS].to_numpy(np.float64)
    return [LabelledTable.shuffled("Complete Journey, products", frame, share, trials)], None


def read_shop(folder: Path) -> list[LabelledTable]:
    """Return the listings and a sample of order lines of contract tables, by what came back."""
    lines = _read_lines(folder)
    by_listing = lines.groupby("listing_id")
    listings = by_listing[list(LISTING_COLUMNS)].first()
    sample = lines.sample(min(len(lines), MAX_ORDER_LINES), random_state=0)
    return [
        LabelledTable.shuffled(
            f"{folder.name}, share of a listing's order lines that came back",
            listings.reset_index(drop=True),
            by_listing["is_returned"].mean().to_numpy(np.float64),
            np.asarray(by_listing.size(), np.float64),
        ),
        LabelledTable.shuffled(
            f"{folder.name}, order lines that came back",
            sample[list(LINE_COLUMNS)],
            sample["is_returned"].to_numpy(np.float64),
            np.ones(len(sample)),
        ),
    ]


def _read_lines(folder: Path) -> pd.DataFrame:
    """Return order lines with what is known of their listings and products."""
    orders, returns, listings, products = (
        pd.read_parquet(folder / f"{name}.parquet")
        for name in ("orders", "returns", "listings", "products")
    )
    known = listings[["listing_id", "product_id", "market", "list_price_minor"]].merge(
        products[["product_id", "category", "parent_category"]], on="product_id", how="left"
    )
    lines = orders.merge(known, on="listing_id", how="inner")
    return lines.assign(
        is_returned=lines["order_line_id"].isin(returns["order_line_id"]),
        month=lines["event_time"].dt.month,
        hour=lines["event_time"].dt.hour,
    )
