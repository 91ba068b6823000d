"""Decide whether to ask again, and how long to wait before it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

RETRIED: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
        HTTPStatus.BAD_GATEWAY,
    }
)
"""Statuses that another attempt may not get; scoring changes nothing, so it may be repeated."""


@dataclass(frozen=True)
class Retries:
    """How often to ask, and the bounds of the pauses in seconds.

    Pauses grow from `first_pause` by doubling, and each is drawn between half of that and all of
    it, so that clients refused together don't come back together. The service's `retry-after` is
    the least pause.
    """

    attempts: int = 6
    first_pause: float = 0.1
    longest_pause: float = 10.0

    def pause(self, attempt: int, retry_after: str | None) -> float | None:
        """Return the seconds to wait after the attempt of this number, from 1; None gives up."""
        if attempt >= self.attempts:
            return None
        longest = min(self.first_pause * 2.0 ** (attempt - 1), self.longest_pause)
        drawn = longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret
        return _parse_seconds(retry_after) + drawn


def _parse_seconds(text: str | None) -> float:
    """Return the seconds of a `retry-after` header; a date or nothing counts as 0."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else 0.0
