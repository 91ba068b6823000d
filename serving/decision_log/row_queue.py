"""The queue between the request path and the writer: bounded in rows, quick to append to."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from serving.scoring.score import Scoring

NANOSECONDS: Final = 1_000
"""In a microsecond."""


class Decision(msgspec.Struct, frozen=True):
    """A scored request, as the request path hands it to the writer."""

    sequence: int
    """Number of its first row among all rows of this process, from 0."""
    time_us: int
    """Wall time in microseconds since 1970, UTC."""
    request_id: str
    key_id: str
    """The API key that asked; empty without keys."""
    scoring: Scoring

    @property
    def rows(self) -> int:
        """Return the number of candidates."""
        return len(self.scoring.candidates)


class RowQueue:
    """Decisions that wait for the writer.

    Room is reserved before a request is scored, so that no scored request finds the queue full.
    """

    def __init__(self, capacity: int, clock: Callable[[], int]) -> None:
        """Hold at most `capacity` rows; `clock` returns nanoseconds since 1970."""
        self._capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()
        self._decisions: deque[Decision] = deque()
        self._in_use = 0
        self._sequence = 0
        self._dropped = 0

    @property
    def rows(self) -> int:
        """Return the rows that wait or have room reserved."""
        return self._in_use

    @property
    def dropped(self) -> int:
        """Return the rows that were answered and are not logged."""
        return self._dropped

    @property
    def is_half_full(self) -> bool:
        """Return True if the writer should come now."""
        return 2 * self._in_use > self._capacity

    def now_us(self) -> int:
        """Return the wall time in microseconds since 1970."""
        return self._clock() // NANOSECONDS

    def reserve(self, rows: int) -> bool:
        """Reserve room for rows; return False if there is none."""
        with self._lock:
            if self._in_use + rows > self._capacity:
                return False
            self._in_use += rows
            return True

    def release(self, rows: int) -> None:
        """Give back room that was reserved and isn't needed."""
        with self._lock:
            self._in_use -= rows

    def append(self, scoring: Scoring, request_id: str, key_id: str) -> None:
        """Append a decision for which room was reserved."""
        with self._lock:
            decision = Decision(self._sequence, self.now_us(), request_id, key_id, scoring)
            self._sequence += decision.rows
            self._decisions.append(decision)

    def drop(self, rows: int) -> None:
        """Count rows that are not logged, and number them: the gap in the log shows them."""
        with self._lock:
            self._sequence += rows
            self._dropped += rows

    def take(self, rows: int) -> list[Decision]:
        """Take the oldest decisions: at most `rows` rows of them, or one larger decision."""
        taken: list[Decision] = []
        count = 0
        with self._lock:
            while self._decisions and (not taken or count + self._decisions[0].rows <= rows):
                taken.append(self._decisions.popleft())
                count += taken[-1].rows
            self._in_use -= count
        return taken
