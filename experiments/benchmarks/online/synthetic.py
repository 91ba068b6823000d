"""Make a synthetic snapshot of a given size, and candidates to look up in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from features.catalogue.catalogue import Catalogue
from features.dataset.horizons import Horizons
from features.declarations.levels import Level
from features.online.contents import (
    LevelAbout,
    LevelVectors,
    ListingFacts,
    ProductFacts,
    SnapshotAbout,
    SnapshotContents,
)
from features.online.snapshot import LookupKeys
from features.runtime.arrays import FloatArray

AS_OF: Final = datetime(2026, 5, 1, tzinfo=UTC)
MARKETS: Final = {"US": "USD", "GB": "GBP", "DE": "EUR", "FR": "EUR", "JP": "JPY"}
CATEGORIES: Final = 200
LISTING_SHARE: Final = 0.5
"""Share of all keys, as in a large catalogue of products; likewise the next three."""
PRODUCT_SHARE: Final = 0.2
SUPPLIER_SHARE: Final = 0.05
CREATOR_SHARE: Final = 0.05
UNKNOWN_SHARE: Final = 0.1
"""Share of candidates without a listing: only levels above the listing know them."""


@dataclass(frozen=True)
class SyntheticMarket:
    """The product and supplier of each listing, as numbers."""

    product: Sequence[int]
    supplier_of: Sequence[int]
    """One entry a product."""
    products: int
    suppliers: int
    creators: int

    def keys(self, listings: Sequence[int]) -> LookupKeys:
        """Return the keys of listings; a number beyond the last one has no listing."""
        has_listing = [number < len(self.product) for number in listings]
        products = [
            self.product[number] if listed else number % self.products
            for number, listed in zip(listings, has_listing, strict=True)
        ]
        return LookupKeys(
            listing_id=[
                _listing(number) if listed else None
                for number, listed in zip(listings, has_listing, strict=True)
            ],
            product_id=[_product(number) for number in products],
            supplier_id=[_supplier(self.supplier_of[number]) for number in products],
            creator_id=[_creator(number % self.creators) for number in listings],
            category=[_category(number) for number in products],
            market=[_market(number) for number in listings],
        )


def synthetic_market(keys: int, rng: np.random.Generator) -> SyntheticMarket:
    """Return a market with about `keys` keys over all levels."""
    listings, products = int(keys * LISTING_SHARE), int(keys * PRODUCT_SHARE)
    suppliers = max(1, int(keys * SUPPLIER_SHARE))
    return SyntheticMarket(
        product=rng.integers(0, products, listings).tolist(),
        supplier_of=rng.integers(0, suppliers, products).tolist(),
        products=products,
        suppliers=suppliers,
        creators=max(1, int(keys * CREATOR_SHARE)),
    )


def synthetic_contents(
    market: SyntheticMarket, catalogue: Catalogue, rng: np.random.Generator
) -> SnapshotContents:
    """Return a snapshot's contents: whole numbers, some of them null."""
    keys = _keys(market)
    levels = {level: _vectors(keys[level], len(catalogue.at_level(level)), rng) for level in Level}
    about = SnapshotAbout(
        as_of=AS_OF,
        catalogue_fingerprint=catalogue.fingerprint,
        dataset_digest="synthetic",
        horizons=Horizons(),
        imputed=(),
        markets=MARKETS,
        categories=tuple(sorted(_category(number) for number in range(CATEGORIES))),
        levels={
            level: LevelAbout(
                features=tuple(feature.name for feature in catalogue.at_level(level)),
                defaults=tuple(0.0 for _ in catalogue.at_level(level)),
                keys=len(keys[level]),
            )
            for level in Level
        },
    )
    products = {
        _product(number): ProductFacts(_category(number), None, _supplier(supplier))
        for number, supplier in enumerate(market.supplier_of)
    }
    listings = {
        _listing(number): ListingFacts(
            _product(product), _market(number), _creator(number % market.creators)
        )
        for number, product in enumerate(market.product)
    }
    return SnapshotContents(about=about, levels=levels, products=products, listings=listings)


def draw_listings(market: SyntheticMarket, rng: np.random.Generator, count: int) -> list[int]:
    """Draw the listings of candidates; some have no listing."""
    listings = len(market.product)
    known = rng.integers(0, listings, count)
    requested: list[int] = np.where(
        rng.random(count) < UNKNOWN_SHARE, known + listings, known
    ).tolist()
    return requested


def _keys(market: SyntheticMarket) -> dict[Level, list[tuple[str, ...]]]:
    pairs = dict.fromkeys(
        (_supplier(supplier), _category(number))
        for number, supplier in enumerate(market.supplier_of)
    )
    categories = [_category(number) for number in range(CATEGORIES)]
    return {
        Level.LISTING: [(_listing(number),) for number in range(len(market.product))],
        Level.PRODUCT: [(_product(number),) for number in range(market.products)],
        Level.SUPPLIER: [(_supplier(number),) for number in range(market.suppliers)],
        Level.SUPPLIER_CATEGORY: list(pairs),
        Level.CREATOR: [(_creator(number),) for number in range(market.creators)],
        Level.CATEGORY_MARKET: [(category, code) for category in categories for code in MARKETS],
        Level.MARKET: [(code,) for code in MARKETS],
    }


def _vectors(keys: list[tuple[str, ...]], width: int, rng: np.random.Generator) -> LevelVectors:
    values: FloatArray = rng.integers(0, 500, (len(keys), width)).astype(np.float64)
    values[rng.random(len(keys)) < UNKNOWN_SHARE, 0] = np.nan
    return LevelVectors(keys, values)


def _listing(number: int) -> str:
    return f"listing-{number:08d}|{_market(number)}"


def _product(number: int) -> str:
    return f"product-{number:08d}"


def _supplier(number: int) -> str:
    return f"supplier-{number:06d}"


def _creator(number: int) -> str:
    return f"creator-{number:06d}"


def _category(number: int) -> str:
    return f"category-{number % CATEGORIES:03d}"


def _market(number: int) -> str:
    return tuple(MARKETS)[number % len(MARKETS)]
