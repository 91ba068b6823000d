"""Admit candidates to scoring; refuse one that contradicts the snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from features.online.lookup_keys import Subject, resolve_subjects
from features.online.snapshot import OnlineSnapshot
from serving.scoring.candidates import Candidate
from serving.scoring.refusals import Detail, RequestRefusedError

_FIELD: Final = {
    "unsupported_market": "market",
    "currency_mismatch": "currency",
    "listing_mismatch": "listing_id",
}
"""Code to the field that it is about."""


@dataclass(frozen=True)
class AdmittedCandidate:
    """A candidate that agrees with the snapshot, and the keys to look it up by."""

    candidate: Candidate
    subject: Subject


def admit_each(
    snapshot: OnlineSnapshot, candidates: Sequence[Candidate]
) -> list[AdmittedCandidate | Detail]:
    """Admit each candidate by itself: return it with its keys, or why it is refused.

    This is the only place that resolves a candidate's keys, so that each request looks up its
    listings and products once.
    """
    subjects = resolve_subjects(snapshot, candidates)
    return [
        _admit(snapshot, candidate, subject)
        for candidate, subject in zip(candidates, subjects, strict=True)
    ]


def admit_all(snapshot: OnlineSnapshot, candidates: Sequence[Candidate]) -> list[AdmittedCandidate]:
    """Admit candidates all together.

    Raises:
        RequestRefusedError: with the code of the first candidate that is refused, and the places
            of all that are.
    """
    admitted: list[AdmittedCandidate] = []
    details: list[Detail] = []
    for position, result in enumerate(admit_each(snapshot, candidates)):
        if isinstance(result, Detail):
            details.append(Detail(("candidates", position, *result.loc), result.code))
        else:
            admitted.append(result)
    if details:
        raise RequestRefusedError(details[0].code, tuple(details))
    return admitted


def _admit(
    snapshot: OnlineSnapshot, candidate: Candidate, subject: Subject
) -> AdmittedCandidate | Detail:
    code = _refusal_code(snapshot, candidate, subject)
    if code is not None:
        return Detail((_FIELD[code],), code)
    return AdmittedCandidate(candidate, subject)


def _refusal_code(snapshot: OnlineSnapshot, candidate: Candidate, subject: Subject) -> str | None:
    currency = snapshot.about.markets.get(candidate.market)
    if currency is None:
        return "unsupported_market"
    if currency != candidate.currency:
        return "currency_mismatch"
    if candidate.listing_id is None or subject.listing is None:
        return None
    listing = (subject.listing.product_id, subject.listing.market)
    return None if listing == (candidate.product_id, candidate.market) else "listing_mismatch"
