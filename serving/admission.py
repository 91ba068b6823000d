"""Admission: a candidate that contradicts the snapshot is refused, not scored as another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from features.online import OnlineSnapshot
from serving.candidates import Candidate
from serving.refusals import Detail, RequestRefusedError

_FIELD: Final = {
    "unsupported_market": "market",
    "currency_mismatch": "currency",
    "listing_mismatch": "listing_id",
}


def refusal_of(snapshot: OnlineSnapshot, candidate: Candidate) -> Detail | None:
    """Return why a candidate can't be scored with this snapshot, None if it can."""
    code = _code_of(snapshot, candidate)
    return None if code is None else Detail((_FIELD[code],), code)


def admit(snapshot: OnlineSnapshot, candidates: Sequence[Candidate]) -> None:
    """Check that all candidates can be scored with this snapshot.

    Raises:
        RequestRefusedError: with the code of the first that can't be, and the places of all.
    """
    found = [(position, refusal_of(snapshot, one)) for position, one in enumerate(candidates)]
    details = tuple(
        Detail(("candidates", position, *detail.loc), detail.code)
        for position, detail in found
        if detail is not None
    )
    if details:
        raise RequestRefusedError(details[0].code, details)


def _code_of(snapshot: OnlineSnapshot, candidate: Candidate) -> str | None:
    currency = snapshot.about.markets.get(candidate.market)
    if currency is None:
        return "unsupported_market"
    if currency != candidate.currency:
        return "currency_mismatch"
    if candidate.listing_id is not None:
        listing = snapshot.listing(candidate.listing_id)
        if listing is not None and listing != (candidate.product_id, candidate.market):
            return "listing_mismatch"
    return None
