"""Resolve the keys of a candidate from its request and from the snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from features.online.contents import ListingFacts
from features.online.snapshot import LookupKeys, OnlineSnapshot


class CandidateRequest(Protocol):
    """A candidate as a request names it; None for what the request leaves out."""

    @property
    def product_id(self) -> str:
        """Return the product."""

    @property
    def market(self) -> str:
        """Return the market."""

    @property
    def listing_id(self) -> str | None:
        """Return the listing, if it is live already."""

    @property
    def category(self) -> str | None:
        """Return the category; it counts if the snapshot doesn't know the product."""

    @property
    def supplier_id(self) -> str | None:
        """Return the supplier; it counts if the snapshot doesn't know the product."""

    @property
    def creator_id(self) -> str | None:
        """Return the creator who will film the next video."""


@dataclass(frozen=True)
class Subject:
    """The keys of a candidate, and whether the snapshot knows its product."""

    listing_id: str | None
    listing: ListingFacts | None
    """What the snapshot knows about this listing."""
    product_id: str
    supplier_id: str | None
    creator_id: str | None
    category: str | None
    market: str
    is_known: bool


def resolve_subjects(
    snapshot: OnlineSnapshot, candidates: Sequence[CandidateRequest]
) -> list[Subject]:
    """Resolve the keys of candidates.

    Category and supplier come from the snapshot, as in training, else from the request. The creator
    is the requested one, else the creator of the listing's latest video. A candidate without a
    listing gets the only live one of its product and market.
    """
    products = snapshot.products(candidate.product_id for candidate in candidates)
    listing_ids = _resolve_listings(snapshot, candidates)
    listings = snapshot.listings(listing_ids)
    subjects = []
    for candidate, product, listing_id, listing in zip(
        candidates, products, listing_ids, listings, strict=True
    ):
        origin = candidate if product is None else product
        latest_creator = None if listing is None else listing.creator_id
        subjects.append(
            Subject(
                listing_id=listing_id,
                listing=listing,
                product_id=candidate.product_id,
                supplier_id=origin.supplier_id,
                creator_id=candidate.creator_id or latest_creator,
                category=origin.category,
                market=candidate.market,
                is_known=product is not None,
            )
        )
    return subjects


def _resolve_listings(
    snapshot: OnlineSnapshot, candidates: Sequence[CandidateRequest]
) -> list[str | None]:
    pairs = ((candidate.product_id, candidate.market) for candidate in candidates)
    only_listings = snapshot.only_listings(pairs)
    return [
        only_listing if candidate.listing_id is None else candidate.listing_id
        for candidate, only_listing in zip(candidates, only_listings, strict=True)
    ]


def build_lookup_keys(subjects: Sequence[Subject]) -> LookupKeys:
    """Return the keys to look up, one entry a subject."""
    return LookupKeys(
        listing_id=[subject.listing_id for subject in subjects],
        product_id=[subject.product_id for subject in subjects],
        supplier_id=[subject.supplier_id for subject in subjects],
        creator_id=[subject.creator_id for subject in subjects],
        category=[subject.category for subject in subjects],
        market=[subject.market for subject in subjects],
    )
