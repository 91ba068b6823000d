"""Products and listings as rows of the contract."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.clock import DAY_US, SECOND_US
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.identifiers import PRODUCT_DIGITS, named, numbered
from experiments.simulator.configuration.knowledge import moments
from experiments.simulator.mechanisms.candidates import MODES
from experiments.simulator.mechanisms.localisation import LISTED_SECOND
from experiments.simulator.mechanisms.plan import Chunk
from experiments.simulator.mechanisms.prices import in_minor
from experiments.simulator.mechanisms.suppliers import supplier_names

MATERIALS: Final = ("cotton", "polyester", "plastic", "steel", "glass", "wood", "paper")
MANNERS: Final = ("classic", "light", "soft", "compact", "bright", "sturdy", "fresh", "little")
DENSITY: Final = 3.5
"""Cubic centimetres of parcel a gram: light goods in padding."""


def product_table(market: Simulation, chunk: Chunk) -> pa.Table:
    """Return all products of a chunk, listed or not; costs are in US dollars."""
    products = chunk.products
    leaf = [one.name for one in market.categories]
    parent = [one.parent for one in market.categories]
    pairs = zip(products.number.tolist(), products.category.tolist(), strict=True)
    titles = [
        f"{MANNERS[number % len(MANNERS)]} {leaf[category].replace('_', ' ')} no. {number}"
        for number, category in pairs
    ]
    cents = np.maximum(np.round(100 * products.cost), 1).astype(np.int64)
    return pa.table(
        {
            "product_id": numbered("P", (products.number, PRODUCT_DIGITS)),
            "supplier_id": supplier_names(products.supplier),
            "title": pa.array(titles, pa.string()),
            "category": named(leaf, products.category),
            "parent_category": named(parent, products.category),
            "unit_cost_minor": pa.array(cents),
            "currency": pa.repeat("USD", products.number.size),
            "weight_g": pa.array(np.round(products.weight)),
            "volume_cm3": pa.array(np.round(products.weight * DENSITY)),
            "material": named(MATERIALS, (products.number + products.category) % len(MATERIALS)),
        }
    )


def listing_table(market: Simulation, chunk: Chunk, names: pa.Array) -> pa.Table:
    """Return the listings of a chunk: the candidates that the platform chose."""
    candidates = chunk.candidates
    rows = np.flatnonzero(candidates.is_listed)
    place = candidates.place[rows]
    listed_at = (candidates.live_day[rows] - 1) * DAY_US + LISTED_SECOND * SECOND_US
    price = in_minor(market, candidates, rows, np.log(candidates.price[rows]))
    return pa.table(
        {
            "listing_id": names.take(pa.array(rows)),
            "product_id": numbered("P", (candidates.number[rows], PRODUCT_DIGITS)),
            "market": named(market.markets, place),
            "mode": named(MODES, candidates.mode[rows]),
            "listed_at": moments(market, listed_at),
            "list_price_minor": pa.array(price),
            "currency": named([one.currency for one in market.offered_in], place),
        }
    )
