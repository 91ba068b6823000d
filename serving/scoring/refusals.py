"""Every way a request can be refused: code, HTTP status and sentence, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from features.runtime.errors import XuanpinError

Loc = tuple[str | int, ...]
"""The way to a place in the request: names of fields and positions in lists."""

MAX_DETAILS: Final = 20


@dataclass(frozen=True)
class Refusal:
    """What a code means; nothing in it comes from the request."""

    status: HTTPStatus
    expected: str
    found: str
    way_out: str


@dataclass(frozen=True)
class Detail:
    """One place in the request and what is wrong there."""

    loc: Loc
    code: str


REFUSALS: Final[Mapping[str, Refusal]] = {
    "malformed_json": Refusal(
        HTTPStatus.BAD_REQUEST,
        "a JSON object in UTF-8",
        "something that can't be parsed",
        "Send what a JSON library writes.",
    ),
    "not_finite": Refusal(
        HTTPStatus.BAD_REQUEST,
        "finite numbers",
        "NaN, Infinity or a number beyond the range of a double",
        "Leave a candidate out whose numbers aren't known.",
    ),
    "duplicate_key": Refusal(
        HTTPStatus.BAD_REQUEST,
        "each key once in an object",
        "a key twice",
        "Send what a JSON library writes.",
    ),
    "invalid_request": Refusal(
        HTTPStatus.BAD_REQUEST,
        "candidates in the form of the API",
        "the faults under details",
        "Correct the places named by loc.",
    ),
    "currency_mismatch": Refusal(
        HTTPStatus.BAD_REQUEST,
        "prices in the market's currency",
        "another currency at the places under details",
        "Convert the price before asking.",
    ),
    "listing_mismatch": Refusal(
        HTTPStatus.BAD_REQUEST,
        "a listing with its own product and market",
        "a known listing with others at the places under details",
        "Correct product_id and market, or leave listing_id out.",
    ),
    "unsupported_market": Refusal(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "a market that the model has learned from",
        "another at the places under details",
        "Ask for a market of the data; one market's score says nothing about another.",
    ),
    "too_many_candidates": Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "at most 1,000 candidates",
        "more",
        "Split them over several requests.",
    ),
    "body_too_large": Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "a body within the limit",
        "more bytes",
        "Split the candidates over several requests.",
    ),
    "unsupported_media_type": Refusal(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "content-type application/json in UTF-8",
        "another or none",
        "Send JSON and say so.",
    ),
    "unsupported_encoding": Refusal(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "a body that isn't compressed",
        "a content-encoding",
        "Send the JSON as it is.",
    ),
    "not_found": Refusal(
        HTTPStatus.NOT_FOUND,
        "a path of the API",
        "another",
        "POST to /v1/score.",
    ),
    "method_not_allowed": Refusal(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "a method that the path has",
        "another",
        "The allow header lists them.",
    ),
    "request_timeout": Refusal(
        HTTPStatus.REQUEST_TIMEOUT,
        "the body within the deadline",
        "a slower one",
        "Send it again.",
    ),
    "incomplete_body": Refusal(
        HTTPStatus.BAD_REQUEST,
        "a whole body",
        "a connection closed before its end",
        "Send it again.",
    ),
    "deadline_exceeded": Refusal(
        HTTPStatus.GATEWAY_TIMEOUT,
        "an answer within the deadline",
        "none yet",
        "Ask for fewer candidates at once.",
    ),
    "overloaded": Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "a free place in the queue",
        "none",
        "Try again after the seconds in retry-after.",
    ),
    "no_model": Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "a verified bundle and snapshot",
        "none",
        "Publish one with `xuanpin run` and start the service again.",
    ),
    "invalid_prediction": Refusal(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "predictions that are shares",
        "others",
        "Go back to the bundle before and report this one.",
    ),
    "internal": Refusal(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "an answer",
        "a fault of the service",
        "Report the request_id.",
    ),
}


class RequestRefusedError(XuanpinError):
    """Refuse a request for one of the reasons in `REFUSALS`.

    `details` names the places, at most `MAX_DETAILS` of them; neither it nor the sentence
    repeats what the request said.
    """

    def __init__(self, code: str, details: tuple[Detail, ...] = ()) -> None:
        refusal = REFUSALS[code]
        super().__init__(expected=refusal.expected, found=refusal.found, way_out=refusal.way_out)
        self.code = code
        self.status = refusal.status
        self.details = details[:MAX_DETAILS]
