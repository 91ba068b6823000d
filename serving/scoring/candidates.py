"""Parse a request into candidates, and check its form before any look-up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from features.cells.identifiers import read_identifier
from serving.scoring.refusals import MAX_DETAILS, Detail, Loc, RequestRefusedError, loc_of

MAX_CANDIDATES: Final = 1_000
MAX_EXPLAINED: Final = 100
"""Candidates of a request for explanations; each costs as much as some dozens of scores."""
DEFAULT_FEATURES: Final = 5
DEFAULT_COVERAGE: Final = 0.8

MinorUnits = Annotated[int, Meta(ge=1, le=10**10)]
Units = Annotated[int, Meta(ge=1, le=10**9)]
Coverage = Annotated[float, Meta(ge=0.5, le=0.95)]

_WRONG_FORM: Final = "wrong form of `{}`"


def _read_code(text: str, letters: int) -> str | None:
    code = read_identifier(text) or ""
    is_code = len(code) == letters and code.isascii() and code.isalpha() and code.isupper()
    return code if is_code else None


FORMS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "product_id": read_identifier,
    "market": partial(_read_code, letters=2),
    "currency": partial(_read_code, letters=3),
    "listing_id": read_identifier,
    "category": read_identifier,
    "supplier_id": read_identifier,
    "creator_id": read_identifier,
    "candidate_id": lambda text: None if read_identifier(text) is None else text,
}
"""Field to the function that returns a text's one form, or None for a wrong form.

The answer repeats `candidate_id` as it was sent, so that a caller finds it again.
"""


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product in a market, at a price and in a quantity, to be predicted.

    A listing that is live already has a `listing_id`; a product with just one listing in the market
    needs none. `category` and `supplier_id` count only if the snapshot doesn't know the product.
    `creator_id` is the creator of the next video and replaces the creator of the latest one.
    `candidate_id` is repeated in the answer.
    """

    product_id: str
    market: str
    list_price_minor: MinorUnits
    currency: str
    units_offered: Units
    listing_id: str | None = None
    category: str | None = None
    supplier_id: str | None = None
    creator_id: str | None = None
    candidate_id: str | None = None

    def __post_init__(self) -> None:
        """Give each identifier and code its one form.

        Raises:
            ValueError: a text has a wrong form; msgspec turns this into its own error.
        """
        for name, read in FORMS.items():
            text = getattr(self, name)
            if text is None:
                continue
            canonical = read(text)
            if canonical is None:
                raise ValueError(_WRONG_FORM.format(name))
            if canonical != text:
                msgspec.structs.force_setattr(self, name, canonical)


class ScoreRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /v1/score`."""

    candidates: Annotated[list[Candidate], Meta(min_length=1, max_length=MAX_CANDIDATES)]
    coverage: Coverage = DEFAULT_COVERAGE
    """The share of outcomes that the intervals should cover."""


class ExplainRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /v1/explain`."""

    candidates: Annotated[list[Candidate], Meta(min_length=1, max_length=MAX_EXPLAINED)]
    features: Annotated[int, Meta(ge=1, le=200)] = DEFAULT_FEATURES
    """The most features that explain a prediction."""


Request = TypeVar("Request", ScoreRequest, ExplainRequest)

_CODES: Final = (
    ("unknown field", "unknown_field"),
    ("missing required field", "missing_field"),
    (", got `", "wrong_type"),
    ("of length >= ", "too_few"),
    ("of length <= ", "too_many"),
    ("wrong form of `", "wrong_form"),
    ("` >= ", "out_of_range"),
    ("` <= ", "out_of_range"),
)
"""Parts of msgspec's messages with our codes; the first match wins.

msgspec has no codes of its own. tests/serving/scoring/test_candidates.py holds its messages, so
that a version which words them differently fails there.
"""

_PATH: Final = re.compile(r" - at `\$([^`]*)`\Z")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_FIELD: Final = re.compile(r"(?:missing required field|wrong form of) `(\w+)`")


def parse_request(value: object, form: type[Request]) -> Request:
    """Return the request in a JSON value.

    Raises:
        RequestRefusedError: too_many_candidates, or invalid_request with the first fault of each
            candidate.
    """
    unknown = _find_unknown_field(value, form)
    if unknown is not None:
        raise RequestRefusedError("invalid_request", (unknown,))
    try:
        return msgspec.convert(value, form)
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
        return _find_unknown_field(value, Candidate) or parse_detail(error)


def _find_unknown_field(value: object, struct: type[msgspec.Struct]) -> Detail | None:
    """Return the first field that a struct doesn't have; a name that isn't plain isn't repeated."""
    names = value if isinstance(value, Mapping) else {}
    unknown = [name for name in names if name not in struct.__struct_fields__]
    if not unknown:
        return None
    return Detail(loc_of(unknown[0]), "unknown_field")


def parse_detail(error: msgspec.ValidationError) -> Detail:
    """Return the place and the code of a fault; drop the rest of msgspec's message."""
    message = str(error)
    code = next((code for part, code in _CODES if part in message), "invalid")
    names = _FIELD.findall(message) if code in {"missing_field", "wrong_form"} else ()
    return Detail((*_parse_loc(message), *names), code)


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
