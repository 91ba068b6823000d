"""What a request may ask: candidates, in a form that is checked before anything is looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from serving.scoring.refusals import MAX_DETAILS, Detail, Loc, RequestRefusedError

MAX_CANDIDATES: Final = 1_000
DEFAULT_COVERAGE: Final = 0.8

IDENTIFIER_PATTERN: Final = r"\A(?!(?:.*/)?\.\.(?:/|\Z))[\w.\-:|/+ ]{1,128}\Z"
"""The contract's identifiers (features/contract/columns.py), without `..` as a part of a path."""

Identifier = Annotated[str, Meta(pattern=IDENTIFIER_PATTERN)]
MarketCode = Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")]
CurrencyCode = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
MinorUnits = Annotated[int, Meta(ge=1, le=10**10)]
Units = Annotated[int, Meta(ge=1, le=10**9)]
Coverage = Annotated[float, Meta(ge=0.5, le=0.95)]


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product in a market, at a price and in a quantity, to be predicted.

    `listing_id` is known for a listing that is live already; a product that is listed just once in
    the market needs none. `category` and `supplier_id` count only for a product that the snapshot
    doesn't know; `creator_id`, who is to film it next, counts instead of who filmed it last.
    `candidate_id` comes back in the answer.
    """

    product_id: Identifier
    market: MarketCode
    list_price_minor: MinorUnits
    currency: CurrencyCode
    units_offered: Units
    listing_id: Identifier | None = None
    category: Identifier | None = None
    supplier_id: Identifier | None = None
    creator_id: Identifier | None = None
    candidate_id: Identifier | None = None


class ScoreRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /v1/score`; `coverage` is the coverage of the intervals."""

    candidates: Annotated[list[Candidate], Meta(min_length=1, max_length=MAX_CANDIDATES)]
    coverage: Coverage = DEFAULT_COVERAGE


_CODES: Final = (
    ("unknown field", "unknown_field"),
    ("missing required field", "missing_field"),
    (", got `", "wrong_type"),
    ("of length >= ", "too_few"),
    ("of length <= ", "too_many"),
    ("matching regex", "wrong_form"),
    ("` >= ", "out_of_range"),
    ("` <= ", "out_of_range"),
)
"""Parts of msgspec's messages, first match wins, and what we call it."""

_PATH: Final = re.compile(r" - at `\$([^`]*)`\Z")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_MISSING: Final = re.compile(r"missing required field `(\w+)`")


def parse_request(value: object) -> ScoreRequest:
    """Return the request that a JSON value stands for.

    Raises:
        RequestRefusedError: too_many_candidates, or invalid_request with the faulty places, of
            each candidate the first.
    """
    try:
        return msgspec.convert(value, ScoreRequest)
    except msgspec.ValidationError as error:
        detail = parse_detail(error)
        if detail == Detail(("candidates",), "too_many"):
            raise RequestRefusedError("too_many_candidates") from error
        raise RequestRefusedError("invalid_request", _collect_details(value, detail)) from error


def parse_candidate(value: object) -> Candidate | Detail:
    """Return the candidate that a value stands for, or its first fault."""
    try:
        return msgspec.convert(value, Candidate)
    except msgspec.ValidationError as error:
        return parse_detail(error)


def parse_detail(error: msgspec.ValidationError) -> Detail:
    """Return place and code of a fault; nothing else of msgspec's message gets out."""
    message = str(error)
    code = next((code for part, code in _CODES if part in message), "invalid")
    missing = _MISSING.findall(message) if code == "missing_field" else ()
    return Detail((*_parse_loc(message), *missing), code)


def _parse_loc(message: str) -> Loc:
    path = _PATH.search(message)
    steps = _STEP.findall(path.group(1)) if path else []
    return tuple(name or int(position) for name, position in steps)


def _collect_details(value: object, first: Detail) -> tuple[Detail, ...]:
    """Look at every candidate, so that a caller can mend all of them at once."""
    candidates = value.get("candidates") if isinstance(value, Mapping) else None
    if first.loc[:1] != ("candidates",) or not isinstance(candidates, list):
        return (first,)
    details: list[Detail] = []
    for position, candidate in enumerate(candidates):
        found = parse_candidate(candidate)
        if isinstance(found, Detail):
            details.append(Detail(("candidates", position, *found.loc), found.code))
        if len(details) == MAX_DETAILS:
            break
    return tuple(details) or (first,)
