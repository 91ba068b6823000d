"""Products and listings as rows of the contract."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.clock import DAY_US, SECOND_US
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.identifiers import PRODUCT_DIGITS, format_ids, take_names
from experiments.simulator.configuration.knowledge import to_timestamps
from experiments.simulator.mechanisms.candidates import MODES
from experiments.simulator.mechanisms.localisation import LISTED_SECOND
from experiments.simulator.mechanisms.plan import Chunk
from experiments.simulator.mechanisms.prices import to_minor_units
from experiments.simulator.mechanisms.suppliers import supplier_names

MATERIALS: Final = ("cotton", "polyester", "plastic", "steel", "glass", "wood", "paper")
MANNERS: Final = ("classic", "light", "soft", "compact", "bright", "sturdy", "fresh", "little")
DENSITY: Final = 3.5
"""Cubic centimetres of a parcel a gram: light goods in padding."""


def product_table(market: Simulation, chunk: Chunk) -> pa.Table:
    """Return all products of a chunk, listed or not; costs are in cents of US dollars."""
    products = chunk.products
    leaf = [leaf.name for leaf in market.categories]
    parent = [leaf.parent for leaf in market.categories]
    pairs = zip(products.number.tolist(), products.category.tolist(), strict=True)
    titles = [
        f"{MANNERS[number % len(MANNERS)]} {leaf[category].replace('_', ' ')} no. {number}"
        for number, category in pairs
    ]
    cents = np.maximum(np.round(100 * products.cost), 1).astype(np.int64)
    return pa.table(
        {
            "product_id": format_ids("P", (products.number, PRODUCT_DIGITS)),
            "supplier_id": supplier_names(products.supplier),
            "title": pa.array(titles, pa.string()),
            "category": take_names(leaf, products.category),
            "parent_category": take_names(parent, products.category),
            "unit_cost_minor": pa.array(cents),
            "currency": pa.repeat("USD", products.number.size),
            "weight_g": pa.array(np.round(products.weight)),
            "volume_cm3": pa.array(np.round(products.weight * DENSITY)),
            "material": take_names(
                MATERIALS, (products.number + products.category) % len(MATERIALS)
            ),
        }
    )


def listing_table(market: Simulation, chunk: Chunk, names: pa.Array) -> pa.Table:
    """Return the listings of a chunk: the candidates that the platform listed."""
    candidates = chunk.candidates
    rows = np.flatnonzero(candidates.is_listed)
    place = candidates.place[rows]
    listed_at = (candidates.live_day[rows] - 1) * DAY_US + LISTED_SECOND * SECOND_US
    price = to_minor_units(market, candidates, rows, np.log(candidates.price[rows]))
    return pa.table(
        {
            "listing_id": names.take(pa.array(rows)),
            "product_id": format_ids("P", (candidates.number[rows], PRODUCT_DIGITS)),
            "market": take_names(market.markets, place),
            "mode": take_names(MODES, candidates.mode[rows]),
            "listed_at": to_timestamps(market, listed_at),
            "list_price_minor": pa.array(price),
            "currency": take_names([place.currency for place in market.market_places], place),
        }
    )
