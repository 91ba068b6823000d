"""A snapshot of as many keys as asked for, and candidates that ask for them."""

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
"""Of all keys; the other levels share what is left, as a large catalogue of products has them."""
PRODUCT_SHARE: Final = 0.2
SUPPLIER_SHARE: Final = 0.05
CREATOR_SHARE: Final = 0.05
UNKNOWN_SHARE: Final = 0.1
"""Of candidates: not listed yet, so that the wide levels answer for them."""


@dataclass(frozen=True)
class SyntheticMarket:
    """Who belongs to whom: places in the lists of names, one entry a listing."""

    product: Sequence[int]
    supplier_of: Sequence[int]
    """One entry a product."""
    products: int
    suppliers: int
    creators: int

    def keys(self, listings: Sequence[int]) -> LookupKeys:
        """Return the keys of listings; one beyond the last is of a product nobody lists."""
        owned = [place < len(self.product) for place in listings]
        products = [
            self.product[place] if own else place % self.products
            for place, own in zip(listings, owned, strict=True)
        ]
        return LookupKeys(
            listing_id=[
                _listing(place) if own else None for place, own in zip(listings, owned, strict=True)
            ],
            product_id=[_product(place) for place in products],
            supplier_id=[_supplier(self.supplier_of[place]) for place in products],
            creator_id=[_creator(place % self.creators) for place in listings],
            category=[_category(place) for place in products],
            market=[_market(place) for place in listings],
        )


def synthetic_market(keys: int, rng: np.random.Generator) -> SyntheticMarket:
    """Return a market with about so many keys over all levels."""
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
    """Return a snapshot's contents: counts as they occur, some null."""
    keys = _keys(market)
    levels = {level: _vectors(keys[level], len(catalogue.at_level(level)), rng) for level in Level}
    about = SnapshotAbout(
        as_of=AS_OF,
        catalogue_fingerprint=catalogue.fingerprint,
        dataset_digest="synthetic",
        horizons=Horizons(),
        imputed=(),
        markets=MARKETS,
        categories=tuple(sorted(_category(place) for place in range(CATEGORIES))),
        levels={
            level: LevelAbout(
                features=tuple(one.name for one in catalogue.at_level(level)),
                defaults=tuple(0.0 for _ in catalogue.at_level(level)),
                keys=len(keys[level]),
            )
            for level in Level
        },
    )
    products = {
        _product(place): ProductFacts(_category(place), None, _supplier(supplier))
        for place, supplier in enumerate(market.supplier_of)
    }
    listings = {
        _listing(place): ListingFacts(
            _product(product), _market(place), _creator(place % market.creators)
        )
        for place, product in enumerate(market.product)
    }
    return SnapshotContents(about=about, levels=levels, products=products, listings=listings)


def draw_listings(market: SyntheticMarket, rng: np.random.Generator, count: int) -> list[int]:
    """Draw the listings that candidates ask for, some of them not there."""
    listings = len(market.product)
    known = rng.integers(0, listings, count)
    requested: list[int] = np.where(
        rng.random(count) < UNKNOWN_SHARE, known + listings, known
    ).tolist()
    return requested


def _keys(market: SyntheticMarket) -> dict[Level, list[tuple[str, ...]]]:
    pairs = dict.fromkeys(
        (_supplier(supplier), _category(place)) for place, supplier in enumerate(market.supplier_of)
    )
    categories = [_category(place) for place in range(CATEGORIES)]
    return {
        Level.LISTING: [(_listing(place),) for place in range(len(market.product))],
        Level.PRODUCT: [(_product(place),) for place in range(market.products)],
        Level.SUPPLIER: [(_supplier(place),) for place in range(market.suppliers)],
        Level.SUPPLIER_CATEGORY: list(pairs),
        Level.CREATOR: [(_creator(place),) for place in range(market.creators)],
        Level.CATEGORY_MARKET: [(one, code) for one in categories for code in MARKETS],
        Level.MARKET: [(code,) for code in MARKETS],
    }


def _vectors(keys: list[tuple[str, ...]], width: int, rng: np.random.Generator) -> LevelVectors:
    values: FloatArray = rng.integers(0, 500, (len(keys), width)).astype(np.float64)
    values[rng.random(len(keys)) < UNKNOWN_SHARE, 0] = np.nan
    return LevelVectors(keys, values)


def _listing(place: int) -> str:
    return f"listing-{place:08d}|{_market(place)}"


def _product(place: int) -> str:
    return f"product-{place:08d}"


def _supplier(place: int) -> str:
    return f"supplier-{place:06d}"


def _creator(place: int) -> str:
    return f"creator-{place:06d}"


def _category(place: int) -> str:
    return f"category-{place % CATEGORIES:03d}"


def _market(place: int) -> str:
    return tuple(MARKETS)[place % len(MARKETS)]
