"""The request path's side of the decision log: reserve room, score, hand over, go on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Final

from serving.decision_log.log_settings import LogSettings, LogStatus
from serving.decision_log.row_queue import RowQueue
from serving.scoring.refusals import RequestRefusedError
from serving.scoring.score import Scoring

Record = Callable[[Scoring], None]
"""Log a scored request."""
Begin = Callable[[int], AbstractContextManager[Record]]
"""Reserve room for a number of candidates, and give it back if none are logged."""

_logger: Final = logging.getLogger(__name__)


class NoDecisionLog:
    """What a service without a decision log has in its place."""

    status: Final = LogStatus()
    rows_dropped: Final = 0
    rows_waiting: Final = 0
    is_blocked: Final = False

    def start(self) -> None:
        """Start nothing."""

    def close(self, seconds: float) -> None:
        """Close nothing."""

    def begin(self, request_id: str, key_id: str) -> Begin:  # noqa: ARG002 - as a log has it
        """Return a function that reserves nothing and records nothing."""
        return lambda _: nullcontext(_ignore)


def _ignore(_: Scoring) -> None:
    """Log nothing."""


class DecisionLog:
    """The log of one worker; its writer is a thread, which alone touches the disk."""

    def __init__(
        self,
        settings: LogSettings,
        clock: Callable[[], int] = time.time_ns,
        on_drop: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Store the settings; `clock` returns the wall time in nanoseconds since 1970.

        `on_drop` is told how many rows are answered and not logged.
        """
        self.status: Final = LogStatus()
        self._settings = settings
        self._on_drop = on_drop
        self._queue = RowQueue(settings.queue_rows, clock)
        self._wake = threading.Event()
        self._closing = threading.Event()
        # A daemon: a disk that hangs can't keep the process alive.
        self._thread = threading.Thread(target=self._write, name="decision-log", daemon=True)

    @property
    def rows_dropped(self) -> int:
        """Return the rows that were answered and not logged, for lack of room."""
        return self._queue.dropped

    @property
    def rows_waiting(self) -> int:
        """Return the rows in the queue, for which `log_queue_rows` is the limit."""
        return self._queue.rows

    @property
    def is_blocked(self) -> bool:
        """Return True if requests are refused because the disk refuses to log them."""
        return self.status.is_failing and self._settings.on_full == "stop"

    def start(self) -> None:
        """Start the writer."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Let the writer write what waits, and wait for it for at most `seconds`."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        if self._thread.is_alive():
            _logger.error("decision log: the disk didn't take the last rows in time")

    def begin(self, request_id: str, key_id: str) -> Begin:
        """Return the function that reserves room for the candidates of a request.

        Call it before they are scored. It raises `RequestRefusedError` log_unavailable, or yields
        the function that logs them.
        """
        return partial(self._record, request_id, key_id)

    @contextmanager
    def _record(self, request_id: str, key_id: str, rows: int) -> Iterator[Record]:
        if self.is_blocked or not self._queue.reserve(rows):
            if self._settings.on_full == "stop":
                raise RequestRefusedError("log_unavailable")
            yield self._drop
            return
        is_logged = False

        def append(scoring: Scoring) -> None:
            nonlocal is_logged
            self._queue.append(scoring, request_id, key_id)
            is_logged = True

        try:
            yield append
        finally:
            if not is_logged:
                self._queue.release(rows)
        if self._queue.is_half_full:
            self._wake.set()

    def _drop(self, scoring: Scoring) -> None:
        self._queue.drop(len(scoring.candidates))
        self._on_drop(len(scoring.candidates))

    def _write(self) -> None:
        from serving.decision_log.writer import Writer  # noqa: PLC0415 - pyarrow, only with a log

        Writer(self._settings, self._queue, self.status).run(self._wake, self._closing)


def create_log(
    settings: LogSettings | None, on_drop: Callable[[int], None] = lambda _: None
) -> DecisionLog | NoDecisionLog:
    """Create the log of a worker; None logs nothing."""
    return NoDecisionLog() if settings is None else DecisionLog(settings, on_drop=on_drop)
