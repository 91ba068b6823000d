"""Propose new candidates: products that sell in one market, for markets that don't list them yet.

A candidate's price keeps the product's price relative to its category. The ratio to the category's
median price in the market where it sells best is applied to the median in the new market, so no
exchange rate is needed. The lot is the median lot of the new market.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from features.point_in_time.visibility import AS_OF
from features.runtime.atomic import replace_file
from serving.scoring.candidates import Candidate

CANDIDATES: Final = "candidates.csv"
"""File of the run directory that holds the proposals."""
CANDIDATE_COLUMNS: Final = (
    "listing_id",
    "product_id",
    "category",
    "market",
    AS_OF,
    "list_price_minor",
    "units_offered",
    "units_ordered_28d",
)
"""The columns of the training rows that proposals are made from."""
MAX_CANDIDATES: Final = 200
MAX_ID_LENGTH: Final = 128
LIVE_DAYS: Final = 7
"""The spine has one row a week for each listing on sale, so every live listing has one."""
MIN_LISTINGS: Final = 5
"""Fewer prices of a category in a market don't give a usual price."""


def propose_candidates(
    rows: pa.Table,
    listed: AbstractSet[tuple[str, str]],
    currencies: Mapping[str, str],
    *,
    as_of_day: int,
) -> list[Candidate]:
    """Propose up to `MAX_CANDIDATES` pairs of product and market, products in most demand first.

    A market is proposed if it sells the product's category and has never listed the product. `rows`
    are training rows, `listed` the pairs that have a listing; `currencies` maps each market to its
    currency. Prices and demand are those of listings on sale in the week before `as_of_day`.
    """
    frame = rows.select(CANDIDATE_COLUMNS).to_pandas()
    live = frame[frame[AS_OF] > as_of_day - LIVE_DAYS]
    live = live.sort_values([AS_OF, "listing_id"]).drop_duplicates("listing_id", keep="last")
    pairs = _pair_products(live, listed)
    return [_build_candidate(pair, currencies) for pair in pairs.to_dict("records")]


def _build_candidate(pair: Mapping[Hashable, Any], currencies: Mapping[str, str]) -> Candidate:
    return Candidate(
        product_id=pair["product_id"],
        market=pair["market"],
        list_price_minor=max(1, round(pair["relative_price"] * pair["usual_price"])),
        currency=currencies[pair["market"]],
        units_offered=max(1, round(pair["usual_lot"])),
        candidate_id=f"{pair['market']}-{pair['product_id']}"[:MAX_ID_LENGTH],
    )


def _pair_products(live: pd.DataFrame, listed: AbstractSet[tuple[str, str]]) -> pd.DataFrame:
    """Pair the products in most demand with markets that sell their category but not them."""
    shelves = live.groupby(["category", "market"], as_index=False).agg(
        usual_price=("list_price_minor", "median"), listings=("listing_id", "size")
    )
    shelves = shelves[shelves["listings"] >= MIN_LISTINGS]
    lots = live.groupby("market", as_index=False).agg(usual_lot=("units_offered", "median"))
    pairs = _home_products(live, shelves).merge(shelves.merge(lots, on="market"), on="category")
    is_new = [pair not in listed for pair in zip(pairs["product_id"], pairs["market"], strict=True)]
    pairs = pairs[np.array(is_new, np.bool_)]  # an empty list would select no columns
    order = ["units_ordered", "product_id", "market"]
    return pairs.sort_values(order, ascending=[False, True, True]).head(MAX_CANDIDATES)


def _home_products(live: pd.DataFrame, shelves: pd.DataFrame) -> pd.DataFrame:
    """Return each product's demand, and its relative price in the market where it sells best."""
    demand = live.groupby("product_id", as_index=False).agg(
        units_ordered=("units_ordered_28d", "sum")
    )
    home = live.sort_values(["units_ordered_28d", "market"]).drop_duplicates(
        "product_id", keep="last"
    )
    home = home.merge(shelves, on=["category", "market"])
    home["relative_price"] = home["list_price_minor"] / home["usual_price"]
    return home[["product_id", "category", "relative_price"]].merge(demand, on="product_id")


def write_candidates(candidates: Sequence[Candidate], path: Path) -> None:
    """Write candidates as a CSV file for `xuanpin score`; without candidates, its header alone.

    Raises:
        StorageError: the disk can't be written; an earlier file stays.
    """
    names = [field.name for field in msgspec.structs.fields(Candidate)]
    rows = [msgspec.structs.asdict(candidate) for candidate in candidates]
    table = pd.DataFrame(rows, columns=names)
    if rows:
        table = table.dropna(axis="columns", how="all")
    replace_file(path, table.to_csv(index=False).encode())
