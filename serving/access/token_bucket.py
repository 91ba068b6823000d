"""Limit how often something may happen: a token bucket that one integer remembers."""

from __future__ import annotations

from typing import Final

from serving.access.keys import RateLimit

SECOND: Final = 1_000_000_000
"""In nanoseconds: with integers, the time to wait is exact."""


class TokenBucket:
    """A token bucket in the form of the generic cell rate algorithm (ITU-T I.371).

    Instead of tokens it keeps the moment at which the bucket will be full again.
    """

    __slots__ = ("_full_at", "_interval", "_tolerance", "limit")

    def __init__(self, limit: RateLimit, workers: int) -> None:
        """Start full. Each of `workers` processes gets its share of rate and burst."""
        self.limit = limit
        self._interval = max(round(SECOND * workers / limit.per_second), 1)
        self._tolerance = self._interval * (max(limit.burst // workers, 1) - 1)
        self._full_at = 0

    def take(self, now: int) -> int:
        """Take a token and return 0; if there is none, return the whole seconds until there is.

        `now` is in nanoseconds of a clock that never goes back.
        """
        full_at = max(self._full_at, now)
        wait = full_at - self._tolerance - now
        if wait > 0:
            return -(-wait // SECOND)
        self._full_at = full_at + self._interval
        return 0
