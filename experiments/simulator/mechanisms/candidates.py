"""Draw candidates: every product in every market, with its visible and its hidden traits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.arrays import logistic
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.identifiers import PRODUCT_DIGITS, format_listing_ids
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.suppliers import Suppliers
from features.runtime.arrays import BoolArray, FloatArray, IntArray

MODES: Final = ("full_managed", "semi_managed", "self_run")
MODE_SHARES: Final = (0.55, 0.25, 0.20)
MODE_MARKUP: Final = (0.0, 0.06, 0.1)
LAUNCHES_UNTIL: Final = 0.8
"""No product is proposed in the last fifth of the time, so that most listings have a history."""
BY_SUPPLIER: Final = 0.8
BY_ITSELF: Final = 0.6
"""Weights of the supplier's and the own part in a product's quality: their squares sum to 1."""


@dataclass(frozen=True)
class Products:
    """The products of a chunk; `number` counts over the whole market."""

    number: IntArray
    supplier: IntArray
    category: IntArray
    quality: FloatArray
    appeal: FloatArray
    cost: FloatArray
    weight: FloatArray
    first_day: IntArray


@dataclass(frozen=True)
class Candidates:
    """Products in markets, an element each in all arrays; `quality` and `appeal` are hidden.

    `product` is an index into the chunk's products, `place` and `mode` into the markets and modes.
    `price` is in US dollars, and `reference` is the price of comparable listings. `live_day` is
    the first day with sales; the listing goes live on the day before. `propensity` is the chance
    that the platform lists the candidate, and `is_listed` its decision.
    """

    product: IntArray
    number: IntArray
    supplier: IntArray
    category: IntArray
    place: IntArray
    mode: IntArray
    quality: FloatArray
    appeal: FloatArray
    taste: FloatArray
    price: FloatArray
    reference: FloatArray
    cost: FloatArray
    live_day: IntArray
    propensity: FloatArray
    is_listed: BoolArray

    def __len__(self) -> int:
        """Return the number of candidates."""
        return self.product.size

    def select(self, rows: IntArray) -> Candidates:
        """Return some of the candidates."""
        return Candidates(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def draw_products(market: Simulation, suppliers: Suppliers, chunk: int) -> Products:
    """Draw the products of a chunk with their categories, suppliers and costs."""
    rng = generator(market.seed, "products", chunk)
    first = chunk * market.chunk_products
    number = np.arange(first, min(first + market.chunk_products, market.products))
    count = number.size
    supplier = rng.integers(0, suppliers.quality.size, count)
    # A factory makes goods of two neighbouring categories.
    category = (supplier * 7 + rng.integers(0, 2, count)) % len(market.categories)
    quality = BY_SUPPLIER * suppliers.quality[supplier] + BY_ITSELF * rng.standard_normal(count)
    reference = np.array([leaf.price for leaf in market.categories])[category]
    cost = reference * 0.38 * np.exp(0.15 * rng.standard_normal(count) + 0.06 * quality)
    return Products(
        number=number,
        supplier=supplier,
        category=category,
        quality=quality,
        appeal=market.demand.product_sd * rng.standard_normal(count),
        cost=cost,
        weight=np.exp(rng.normal(5.4, 0.6, count)),
        first_day=(rng.random(count) ** 1.3 * LAUNCHES_UNTIL * market.days).astype(np.int64),
    )


def draw_candidates(market: Simulation, products: Products, chunk: int) -> Candidates:
    """Draw the candidates of a chunk's products in all markets: price, taste, launch, selection."""
    places = len(market.markets)
    product = np.repeat(np.arange(products.number.size), places)
    place = np.tile(np.arange(places), products.number.size)
    rng = generator(market.seed, "candidates", chunk)
    count = product.size
    mode = rng.choice(len(MODES), count, p=MODE_SHARES)
    category = products.category[product]
    reference = np.array([leaf.price for leaf in market.categories])[category]
    markup = np.array(MODE_MARKUP)[mode] + market.demand.price_sd * rng.standard_normal(count)
    price = products.cost[product] / 0.38 * np.exp(markup)
    appeal = products.appeal[product]
    wait = rng.exponential(25, count) * (rng.random(count) < 0.7)  # noqa: PLR2004 - the other products start in all markets at once
    propensity = _propensity(market, products, product, price=price, chunk=chunk)
    live_day = products.first_day[product] + wait.astype(np.int64) + 1
    is_in_time = live_day < market.days
    is_listed = (rng.random(count) < propensity) & is_in_time
    return Candidates(
        product=product,
        number=products.number[product],
        supplier=products.supplier[product],
        category=category,
        place=place,
        mode=mode,
        quality=products.quality[product],
        appeal=appeal,
        taste=market.demand.listing_sd * rng.standard_normal(count),
        price=price,
        reference=reference,
        cost=products.cost[product],
        live_day=live_day,
        propensity=propensity * is_in_time,
        is_listed=is_listed,
    )


def _propensity(
    market: Simulation, products: Products, product: IntArray, *, price: FloatArray, chunk: int
) -> FloatArray:
    """Return the platform's chance to list: logistic in noisy quality, noisy appeal and margin."""
    sizes = market.selection
    rng = generator(market.seed, "selection", chunk)
    noise = sizes.sight_noise * rng.standard_normal((2, products.number.size))
    seen_quality = (products.quality + noise[0])[product]
    seen_appeal = (products.appeal / market.demand.product_sd + noise[1])[product]
    margin = 1 - products.cost[product] / price - 0.62
    odds = (
        np.log(sizes.listed_share / (1 - sizes.listed_share))
        + sizes.quality_weight * seen_quality
        + sizes.appeal_weight * seen_appeal
        + sizes.margin_weight * margin
    )
    return np.clip(logistic(odds), sizes.least, 1 - sizes.least)


def listing_names(market: Simulation, candidates: Candidates) -> pa.Array:
    """Return the identifiers of candidates, made of product and market."""
    part = (candidates.number, PRODUCT_DIGITS)
    return format_listing_ids("L", part, market.markets, candidates.place)
