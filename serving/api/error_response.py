"""Build the error response, the same form for every failure; it repeats no part of a request."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from serving.api.metrics import get_metrics
from serving.errors import InvalidPredictionError
from serving.scoring.refusals import RequestRefusedError

REQUEST_ID: Final = "x-request-id"
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""A caller's id that an answer and the logs may repeat."""
JSON: Final = "application/json"
TEMPORARY: Final = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)

_logger: Final = logging.getLogger(__name__)


def get_request_id(request: Request) -> str:
    """Return the id that a request came with, if it has a plain form; else make one, once."""
    if not hasattr(request.state, "request_id"):
        given = request.headers.get(REQUEST_ID, "")
        is_plain = _PLAIN_ID.fullmatch(given) is not None
        request.state.request_id = given if is_plain else secrets.token_hex(8)
    return str(request.state.request_id)


def json_response(
    request: Request, content: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON response with the request's id that no cache keeps."""
    common = {REQUEST_ID: get_request_id(request), "cache-control": "no-store"}
    return Response(content, status, {**common, **(headers or {})}, media_type=JSON)


def refusal_response(request: Request, error: RequestRefusedError) -> Response:
    """Return the error response for a refusal."""
    request_id = get_request_id(request)
    body = {
        "error": {
            "code": error.code,
            "message": str(error),
            "details": [{"loc": detail.loc, "code": detail.code} for detail in error.details],
            "request_id": request_id,
        }
    }
    return json_response(request, msgspec.json.encode(body), error.status, _headers_of(error))


def _headers_of(error: RequestRefusedError) -> dict[str, str]:
    headers = {"retry-after": str(error.retry_after)} if error.status in TEMPORARY else {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if error.code == "stopping":
        headers["connection"] = "close"  # the next request needs another process
    return headers


def to_refusal(error: Exception) -> RequestRefusedError:
    """Return the refusal that a caller gets for a failure; `internal` for any unforeseen one."""
    match error:
        case RequestRefusedError():
            return error
        case InvalidPredictionError():
            return RequestRefusedError("invalid_prediction")
        case HTTPException(status_code=HTTPStatus.NOT_FOUND):
            return RequestRefusedError("not_found")
        case HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED):
            return RequestRefusedError("method_not_allowed")
        case _:
            return RequestRefusedError("internal")


async def handle_error(request: Request, error: Exception) -> Response:
    """Answer a failure with the error response, and log it under the request's id."""
    refusal = to_refusal(error)
    response = refusal_response(request, refusal)
    request_id = get_request_id(request)
    get_metrics().refusals.labels(refusal.code).inc()
    _logger.info("request %s refused: %s", request_id, refusal.code)
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    if refusal.code == "invalid_prediction":
        _logger.error("request %s: %s", request_id, error)
    if refusal.code == "internal":
        _logger.error("request %s failed", request_id, exc_info=error)
    return response
