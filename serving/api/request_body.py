"""Read a request's body: declared as JSON, uncompressed, of bounded size and within a deadline."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request

from serving.scoring.refusals import RequestRefusedError

JSON_TYPES: Final = frozenset({"application/json", "application/json;charset=utf-8"})
_MAX_DIGITS: Final = 15


async def read_body(request: Request, *, limit: int, seconds: float) -> bytes:
    """Return the body; read at most `limit` bytes of it.

    Raises:
        RequestRefusedError: unsupported_media_type, unsupported_encoding, body_too_large,
            incomplete_body or request_timeout.
    """
    _check_headers(request, limit)
    try:
        async with asyncio.timeout(seconds):
            return await _read_at_most(request, limit)
    except TimeoutError as error:
        raise RequestRefusedError("request_timeout") from error
    except ClientDisconnect as error:
        raise RequestRefusedError("incomplete_body") from error


def _check_headers(request: Request, limit: int) -> None:
    content_type = request.headers.get("content-type", "").lower().replace(" ", "")
    if content_type.replace('"', "") not in JSON_TYPES:
        raise RequestRefusedError("unsupported_media_type")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestRefusedError("unsupported_encoding")
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise RequestRefusedError("incomplete_body")
    if len(length) > _MAX_DIGITS or int(length) > limit:
        raise RequestRefusedError("body_too_large")


async def _read_at_most(request: Request, limit: int) -> bytes:
    """Count bytes while reading, because a chunked body doesn't declare its length."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise RequestRefusedError("body_too_large")
        chunks.append(chunk)
    return b"".join(chunks)
