"""A market of a year, small enough to train on in seconds and large enough to be split in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

START = pd.Timestamp("2024-01-02")
DAYS = 420
MARKETS = {"US": "USD", "GB": "GBP", "DE": "EUR"}
PRODUCTS = 40


def _listings(rng: np.random.Generator) -> pd.DataFrame:
    pairs = [(f"P{i:02d}", market) for i in range(PRODUCTS) for market in MARKETS]
    listed = [pair for pair, keep in zip(pairs, rng.random(len(pairs)) < 0.7, strict=True) if keep]
    days = pd.to_timedelta(rng.integers(0, 120, len(listed)), unit="D")
    return pd.DataFrame(
        {
            "listing_id": [f"{market}-{product}" for product, market in listed],
            "product_id": [product for product, _ in listed],
            "market": [market for _, market in listed],
            "mode": "self_run",
            "listed_at": START + days,
            "list_price_minor": rng.integers(500, 5000, len(listed)),
            "currency": [MARKETS[market] for _, market in listed],
        }
    ).astype({"listed_at": "datetime64[us]"})


def _orders(rng: np.random.Generator, listings: pd.DataFrame) -> pd.DataFrame:
    demand = rng.gamma(1.0, 0.25, len(listings))
    counts = rng.poisson(demand * DAYS)
    line = listings.loc[listings.index.repeat(counts)]
    since = (line["listed_at"] - START).dt.days.to_numpy()
    happened = START + pd.to_timedelta(since + rng.random(len(line)) * (DAYS - since), unit="D")
    frame = pd.DataFrame(
        {
            "listing_id": line["listing_id"].to_numpy(),
            "buyer_key": [f"b{i}" for i in rng.integers(0, 400, len(line))],
            "units": rng.integers(1, 4, len(line)),
            "unit_price_minor": line["list_price_minor"].to_numpy(),
            "event_time": happened,
        }
    ).sort_values("event_time", ignore_index=True)
    frame["available_at"] = frame["event_time"] + pd.Timedelta("6h")
    frame["order_line_id"] = [f"L{i:05d}" for i in range(len(frame))]
    frame["order_id"] = frame["order_line_id"]
    return frame.astype({"event_time": "datetime64[us]", "available_at": "datetime64[us]"})


def _returns(rng: np.random.Generator, orders: pd.DataFrame) -> pd.DataFrame:
    risk = orders["listing_id"].map(lambda listing: 0.05 + 0.3 * (int(listing[-1]) / 9))
    back = orders[rng.random(len(orders)) < risk.to_numpy()]
    happened = back["event_time"] + pd.to_timedelta(rng.integers(5, 25, len(back)), unit="D")
    return pd.DataFrame(
        {
            "order_line_id": back["order_line_id"],
            "units": 1,
            "reason": "unspecified",
            "event_time": happened,
            "available_at": happened,
        }
    )


def write_year_market(directory: Path) -> Path:
    """Write products, listings, orders and returns into a new source directory."""
    rng = np.random.default_rng(7)
    names = [f"P{i:02d}" for i in range(PRODUCTS)]
    products = pd.DataFrame(
        {
            "product_id": names,
            "supplier_id": [f"S{i % 5}" for i in range(PRODUCTS)],
            "category": [f"category {i % 4}" for i in range(PRODUCTS)],
            "parent_category": "things",
            "unit_cost_minor": 100,
            "currency": "USD",
            "weight_g": 100.0,
            "volume_cm3": 100.0,
            "material": "steel",
        }
    )
    listings = _listings(rng)
    orders = _orders(rng, listings)
    directory.mkdir()
    tables = {
        "products": products,
        "listings": listings,
        "orders": orders,
        "returns": _returns(rng, orders),
    }
    for name, frame in tables.items():
        frame.to_parquet(directory / f"{name}.parquet", index=False)
    return directory
