"""Parse a request into candidates, and check its form before any look-up."""

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
"""The contract's identifiers (features/contract/columns.py), except a path with a part `..`."""

Identifier = Annotated[str, Meta(pattern=IDENTIFIER_PATTERN)]
MarketCode = Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")]
CurrencyCode = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
MinorUnits = Annotated[int, Meta(ge=1, le=10**10)]
Units = Annotated[int, Meta(ge=1, le=10**9)]
Coverage = Annotated[float, Meta(ge=0.5, le=0.95)]


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product in a market, at a price and in a quantity, to be predicted.

    A listing that is live already has a `listing_id`; a product with just one listing in the market
    needs none. `category` and `supplier_id` count only if the snapshot doesn't know the product.
    `creator_id` is the creator of the next video and replaces the creator of the latest one.
    `candidate_id` is repeated in the answer.
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
    """The body of `POST /v1/score`."""

    candidates: Annotated[list[Candidate], Meta(min_length=1, max_length=MAX_CANDIDATES)]
    coverage: Coverage = DEFAULT_COVERAGE
    """The share of outcomes that the intervals should cover."""


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
"""Parts of msgspec's messages with our codes; the first match wins.

msgspec has no codes of its own. tests/serving/scoring/test_candidates.py holds its messages, so
that a version which words them differently fails there.
"""

_PATH: Final = re.compile(r" - at `\$([^`]*)`\Z")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_MISSING: Final = re.compile(r"missing required field `(\w+)`")


def parse_request(value: object) -> ScoreRequest:
    """Return the request in a JSON value.

    Raises:
        RequestRefusedError: too_many_candidates, or invalid_request with the first fault of each
            candidate.
    """
    try:
        return msgspec.convert(value, ScoreRequest)
    except msgspec.ValidationError as error:
        detail = parse_detail(error)
        if detail == Detail(("candidates",), "too_many"):
            raise RequestRefusedError("too_many_candidates") from error
        raise RequestRefusedError("invalid_request", _collect_details(value, detail)) from error


def parse_candidate(value: object) -> Candidate | Detail:
    """Return the candidate in a JSON value, or its first fault."""
    try:
        return msgspec.convert(value, Candidate)
    except msgspec.ValidationError as error:
        return parse_detail(error)


def parse_detail(error: msgspec.ValidationError) -> Detail:
    """Return the place and the code of a fault; drop the rest of msgspec's message."""
    message = str(error)
    code = next((code for part, code in _CODES if part in message), "invalid")
    missing = _MISSING.findall(message) if code == "missing_field" else ()
    return Detail((*_parse_loc(message), *missing), code)


def _parse_loc(message: str) -> Loc:
    path = _PATH.search(message)
    steps = _STEP.findall(path.group(1)) if path else []
    return tuple(name or int(position) for name, position in steps)


def _collect_details(value: object, first: Detail) -> tuple[Detail, ...]:
    """Check every candidate, so that a caller can correct all of them at once."""
    candidates = value.get("candidates") if isinstance(value, Mapping) else None
    if first.loc[:1] != ("candidates",) or not isinstance(candidates, list):
        return (first,)
    details: list[Detail] = []
    for position, candidate in enumerate(candidates):
        result = parse_candidate(candidate)
        if isinstance(result, Detail):
            details.append(Detail(("candidates", position, *result.loc), result.code))
        if len(details) == MAX_DETAILS:
            break
    return tuple(details) or (first,)
