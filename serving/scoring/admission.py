"""Admission: a candidate that contradicts the snapshot is refused, not scored as another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from features.online.contents import ListingFacts
from features.online.snapshot import OnlineSnapshot
from serving.scoring.candidates import Candidate
from serving.scoring.refusals import Detail, RequestRefusedError

_FIELD: Final = {
    "unsupported_market": "market",
    "currency_mismatch": "currency",
    "listing_mismatch": "listing_id",
}


def find_refusals(snapshot: OnlineSnapshot, candidates: Sequence[Candidate]) -> list[Detail | None]:
    """Return of each candidate why it can't be scored with this snapshot, None if it can."""
    listings = snapshot.listings(candidate.listing_id for candidate in candidates)
    codes = [
        _refusal_code(snapshot, candidate, listing)
        for candidate, listing in zip(candidates, listings, strict=True)
    ]
    return [None if code is None else Detail((_FIELD[code],), code) for code in codes]


def admit(snapshot: OnlineSnapshot, candidates: Sequence[Candidate]) -> None:
    """Check that all candidates can be scored with this snapshot.

    Raises:
        RequestRefusedError: with the code of the first that can't be, and the places of all.
    """
    details = tuple(
        Detail(("candidates", position, *detail.loc), detail.code)
        for position, detail in enumerate(find_refusals(snapshot, candidates))
        if detail is not None
    )
    if details:
        raise RequestRefusedError(details[0].code, details)


def _refusal_code(
    snapshot: OnlineSnapshot, candidate: Candidate, listing: ListingFacts | None
) -> str | None:
    currency = snapshot.about.markets.get(candidate.market)
    if currency is None:
        return "unsupported_market"
    if currency != candidate.currency:
        return "currency_mismatch"
    requested = (candidate.product_id, candidate.market)
    if listing is not None and (listing.product_id, listing.market) != requested:
        return "listing_mismatch"
    return None
