"""The one form of every error answer; it repeats nothing of the request."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from serving.errors import InvalidPredictionError
from serving.scoring.refusals import RequestRefusedError

REQUEST_ID: Final = "x-request-id"
RETRY_AFTER_SECONDS: Final = "1"
JSON: Final = "application/json"

_logger: Final = logging.getLogger(__name__)


def get_request_id(request: Request) -> str:
    """Return the id of a request, the same for as long as it is served."""
    if not hasattr(request.state, "request_id"):
        request.state.request_id = secrets.token_hex(8)
    return str(request.state.request_id)


def json_response(
    request: Request, content: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON that no cache keeps, with the request's id."""
    common = {REQUEST_ID: get_request_id(request), "cache-control": "no-store"}
    return Response(content, status, {**common, **(headers or {})}, media_type=JSON)


def refusal_response(request: Request, error: RequestRefusedError) -> Response:
    """Return the envelope of a refusal."""
    request_id = get_request_id(request)
    body = {
        "error": {
            "code": error.code,
            "message": str(error),
            "details": [{"loc": detail.loc, "code": detail.code} for detail in error.details],
            "request_id": request_id,
        }
    }
    is_temporary = error.status == HTTPStatus.SERVICE_UNAVAILABLE
    headers = {"retry-after": RETRY_AFTER_SECONDS} if is_temporary else None
    return json_response(request, msgspec.json.encode(body), error.status, headers)


def to_refusal(error: Exception) -> RequestRefusedError:
    """Return how a failure is told to the caller; anything unforeseen is a fault of ours."""
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
    """Answer a failure with the envelope, and tell the log in one line."""
    refusal = to_refusal(error)
    response = refusal_response(request, refusal)
    _logger.info("request %s refused: %s", get_request_id(request), refusal.code)
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    if isinstance(error, InvalidPredictionError):
        _logger.error("request %s: %s", get_request_id(request), error)
    return response
