"""Every way to refuse a request: code, HTTP status and message, as a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from features.runtime.errors import XuanpinError

Loc = tuple[str | int, ...]
"""Path to a value in the request: names of fields and positions in lists."""

MAX_DETAILS: Final = 20
RETRY_AFTER: Final = 1
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
"""Names of fields that an answer may repeat: short, and harmless wherever they are shown."""


@dataclass(frozen=True)
class Refusal:
    """The meaning of a code; no part of it comes from the request."""

    status: HTTPStatus
    problem: str
    hint: str


@dataclass(frozen=True)
class Detail:
    """A fault at one place in the request.

    `reason` says more about a cell of a file; the answer to a request has the code alone.
    """

    loc: Loc
    code: str
    reason: str = ""


def loc_of(name: str) -> Loc:
    """Return the place of a field that the API doesn't know; empty if its name isn't plain."""
    return (name,) if _PLAIN_NAME.fullmatch(name) else ()


REFUSALS: Final[Mapping[str, Refusal]] = {
    "malformed_json": Refusal(
        HTTPStatus.BAD_REQUEST,
        "The body is not valid JSON in UTF-8.",
        "Send what a JSON library writes: loc under details is the place where reading stopped.",
    ),
    "not_finite": Refusal(
        HTTPStatus.BAD_REQUEST,
        "The body holds NaN, Infinity or a number beyond the range of a double.",
        "Replace each by a number, or leave out candidates whose numbers aren't known.",
    ),
    "duplicate_key": Refusal(
        HTTPStatus.BAD_REQUEST,
        "An object in the body has a key twice.",
        "Send each key once: loc under details names it.",
    ),
    "invalid_request": Refusal(
        HTTPStatus.BAD_REQUEST,
        "The request doesn't have the form of the API.",
        "Correct the fields under details, where loc names the place and code the fault, and send "
        "again: a later fault of the same candidate is named only then.",
    ),
    "currency_mismatch": Refusal(
        HTTPStatus.BAD_REQUEST,
        "A price is not in the currency of its market.",
        "Correct the candidates under details: the code of each names its fault.",
    ),
    "listing_mismatch": Refusal(
        HTTPStatus.BAD_REQUEST,
        "A listing belongs to another product or another market.",
        "Correct product_id and market of the candidates under details, or leave listing_id out; "
        "the code of each names its fault.",
    ),
    "unsupported_market": Refusal(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The model has not learned from this market.",
        "Correct or leave out the candidates under details: the code of each names its fault.",
    ),
    "too_many_candidates": Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The request has more than 1,000 candidates, or asks to explain more than 100.",
        "Split them over several requests.",
    ),
    "body_too_large": Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is larger than the service accepts.",
        "Split the candidates over several requests.",
    ),
    "unsupported_media_type": Refusal(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The content type is not application/json in UTF-8.",
        "Send JSON with the header content-type: application/json.",
    ),
    "unsupported_encoding": Refusal(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The body is compressed.",
        "Send plain JSON without the header content-encoding.",
    ),
    "unauthorised": Refusal(
        HTTPStatus.UNAUTHORIZED,
        "The request has no valid API key.",
        "Send one key, in the header authorization: Bearer or in x-api-key. The operator makes "
        "keys with `xuanpin keys add`, and a new one for a key that expired or was revoked.",
    ),
    "forbidden": Refusal(
        HTTPStatus.FORBIDDEN,
        "The API key lacks the scope that this path needs.",
        "Use a key that has it: `xuanpin keys list` shows the operator the scopes of each key.",
    ),
    "rate_limited": Refusal(
        HTTPStatus.TOO_MANY_REQUESTS,
        "The API key has sent more requests than its rate allows.",
        "Try again after the seconds that the retry-after header names.",
    ),
    "not_found": Refusal(
        HTTPStatus.NOT_FOUND,
        "The service has no such path.",
        "Send candidates to POST /v1/score.",
    ),
    "method_not_allowed": Refusal(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "The path doesn't allow this method.",
        "Use a method that the allow header names.",
    ),
    "request_timeout": Refusal(
        HTTPStatus.REQUEST_TIMEOUT,
        "The body did not arrive within the deadline.",
        "Send the request again.",
    ),
    "incomplete_body": Refusal(
        HTTPStatus.BAD_REQUEST,
        "The body ended early, or its content-length is not a number.",
        "Send the whole body again.",
    ),
    "deadline_exceeded": Refusal(
        HTTPStatus.GATEWAY_TIMEOUT,
        "Scoring took longer than the deadline.",
        "Send fewer candidates in a request.",
    ),
    "overloaded": Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The service has too many requests waiting.",
        "Try again after the seconds that the retry-after header names.",
    ),
    "log_unavailable": Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The service can't log its decisions, so it makes none.",
        "Try again after the seconds that the retry-after header names. If it lasts, call the "
        "operator: the service's log has the reason.",
    ),
    "stopping": Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The service is stopping.",
        "Try again after the seconds that the retry-after header names.",
    ),
    "no_model": Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The service has not loaded a bundle and a snapshot.",
        "Wait if it has just started. Otherwise read its log, publish artefacts with "
        "`xuanpin run`, and start it again.",
    ),
    "invalid_prediction": Refusal(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "A model gave a prediction that is not a number in [0, 1].",
        "Serve an earlier bundle. The log has the details under this request id.",
    ),
    "internal": Refusal(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The service failed.",
        "The log has the details under this request id.",
    ),
}


_MALFORMED: Final[Mapping[str, Refusal]] = {
    "half_character": Refusal(
        HTTPStatus.BAD_REQUEST,
        "A text in the body has half a character: an escape from \\ud800 to \\udfff stands alone.",
        "Write such characters as they are in UTF-8, or as both halves one after the other.",
    ),
    "too_deep": Refusal(
        HTTPStatus.BAD_REQUEST,
        "The body has lists or objects too deep in each other.",
        "Send an object with a list candidates, whose values are texts and numbers.",
    ),
}
"""Code of a detail of malformed JSON to its own sentences: the fault has no place."""


class RequestRefusedError(XuanpinError):
    """Refuse a request for one of the reasons in `REFUSALS`.

    `details` names the places of the faults, at most `MAX_DETAILS` of them. Neither they nor the
    message repeat any value of the request; a place may be the plain name of a field.
    `retry_after` is the number of seconds after which the same request may be answered.
    """

    def __init__(
        self, code: str, details: tuple[Detail, ...] = (), *, retry_after: int = RETRY_AFTER
    ) -> None:
        first = details[0].code if details else ""
        refusal = _MALFORMED.get(first, REFUSALS[code])
        super().__init__(problem=refusal.problem, hint=refusal.hint)
        self.code = code
        self.status = refusal.status
        self.details = details[:MAX_DETAILS]
        self.retry_after = retry_after
