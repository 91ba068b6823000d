"""Whose features stand behind a candidate: the keys that its request and the snapshot give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from features.online.contents import ListingFacts
from features.online.snapshot import LookupKeys, OnlineSnapshot


class CandidateRequest(Protocol):
    """What a request says of a candidate; None where it doesn't say."""

    @property
    def product_id(self) -> str:
        """Return the product."""

    @property
    def market(self) -> str:
        """Return the market."""

    @property
    def listing_id(self) -> str | None:
        """Return the listing, where it is live already."""

    @property
    def category(self) -> str | None:
        """Return the category of a product that the snapshot may not know."""

    @property
    def supplier_id(self) -> str | None:
        """Return the supplier of a product that the snapshot may not know."""

    @property
    def creator_id(self) -> str | None:
        """Return who is to film it next."""


@dataclass(frozen=True)
class Subject:
    """The keys of a candidate, and whether the snapshot knows its product."""

    listing_id: str | None
    listing: ListingFacts | None
    """What the snapshot knows of this listing."""
    product_id: str
    supplier_id: str | None
    creator_id: str | None
    category: str | None
    market: str
    is_known: bool


def resolve_subjects(snapshot: OnlineSnapshot, asked: Sequence[CandidateRequest]) -> list[Subject]:
    """Take what a product is from the snapshot, as training did, else from the request.

    The creator is the one asked for, else who made the listing's latest video.
    """
    products = snapshot.products(one.product_id for one in asked)
    only = snapshot.only_listings((one.product_id, one.market) for one in asked)
    names = [
        lone if one.listing_id is None else one.listing_id
        for one, lone in zip(asked, only, strict=True)
    ]
    listings = snapshot.listings(names)
    subjects = []
    for one, product, name, listing in zip(asked, products, names, listings, strict=True):
        known = one if product is None else product
        filmed_by = None if listing is None else listing.creator_id
        subjects.append(
            Subject(
                listing_id=name,
                listing=listing,
                product_id=one.product_id,
                supplier_id=known.supplier_id,
                creator_id=one.creator_id or filmed_by,
                category=known.category,
                market=one.market,
                is_known=product is not None,
            )
        )
    return subjects


def build_lookup_keys(subjects: Sequence[Subject]) -> LookupKeys:
    """Return the keys to look up, one entry a subject."""
    return LookupKeys(
        listing_id=[one.listing_id for one in subjects],
        product_id=[one.product_id for one in subjects],
        supplier_id=[one.supplier_id for one in subjects],
        creator_id=[one.creator_id for one in subjects],
        category=[one.category for one in subjects],
        market=[one.market for one in subjects],
    )
