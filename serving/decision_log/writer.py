"""The writer of a worker's decision log: from queued decisions to the files of its chain.

Rows leave the queue soon and wait as columns, which need a tenth of the memory, for their file. A
disk that refuses is asked again each second; meanwhile the rows stay, and the queue fills up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

import pyarrow as pa

from features.runtime.errors import XuanpinError
from serving.decision_log.chain import Chain, open_chain, remove_idle_before
from serving.decision_log.chain_files import format_hour
from serving.decision_log.columns import build_rows
from serving.decision_log.log_settings import LogSettings, LogStatus
from serving.decision_log.row_queue import Decision, RowQueue

COLLECT_SECONDS: Final = 0.5
"""Between two looks at the queue, unless it fills up."""
COLLECT_ROWS: Final = 250
"""Rows that become columns at once; then requests go first."""
YIELD_SECONDS: Final = 0.0005
RETRY_SECONDS: Final = 1.0
REMIND_SECONDS: Final = 60.0
RETENTION_SECONDS: Final = 600.0
DAY_US: Final = 86_400_000_000

_logger: Final = logging.getLogger(__name__)


@dataclass
class Part:
    """Rows of one hour that wait for their file."""

    hour: str
    due: float
    """When the file must be written, by the monotonic clock."""
    batches: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = 0

    def add(self, decisions: Sequence[Decision]) -> None:
        """Add the rows of decisions."""
        batch = build_rows(decisions)
        self.batches.append(batch)
        self.rows += batch.num_rows


class Reminder:
    """Repeat a line of the service's log once a minute, while its cause lasts."""

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self) -> bool:
        """Return True at most once a minute."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + REMIND_SECONDS
        return True


def _describe(error: Exception) -> str:
    """Return what the service's log may say: the messages of libraries may hold values."""
    if isinstance(error, XuanpinError):
        return str(error)
    reason = error.strerror if isinstance(error, OSError) else None
    return reason or type(error).__name__


class Writer:
    """Empty the queue into files; only its own thread may call it."""

    def __init__(self, settings: LogSettings, queue: RowQueue, status: LogStatus) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._queue = queue
        self._status = status
        self._chain: Chain | None = None
        self._offset = 0
        """Number of this process's first row in the chain."""
        self._written = 0
        """Rows of this process, dropped ones included, before the first that isn't written."""
        self._parts: list[Part] = []
        self._retry = 0.0
        self._next_retention = 0.0
        self._dropped = 0
        self._dropping, self._failing = Reminder(), Reminder()

    def run(self, wake: threading.Event, closing: threading.Event) -> None:
        """Write until `closing` is set, and then what is left."""
        self._attempt(is_last=False)
        while not closing.is_set():
            wake.wait(COLLECT_SECONDS)
            wake.clear()
            self._report_dropped()
            if time.monotonic() >= self._retry:
                self._attempt(is_last=False)
        self._attempt(is_last=True)
        self._report_lost()
        if self._chain is not None:
            self._chain.close()

    def _attempt(self, *, is_last: bool) -> None:
        try:
            self._write(is_last=is_last)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service must go on
            self._status.is_failing = True
            self._retry = time.monotonic() + RETRY_SECONDS
            self._leave_chain()
            if self._failing.is_due():
                _logger.error("decision log: %s", _describe(error))  # noqa: TRY400 - no input
        else:
            self._status.is_failing = False

    def _write(self, *, is_last: bool) -> None:
        chain = self._chain or self._open()
        self._write_parts(chain, everything=False)
        while decisions := self._queue.take(COLLECT_ROWS):
            self._collect(decisions)
            self._write_parts(chain, everything=False)
            time.sleep(YIELD_SECONDS)
        self._write_parts(chain, everything=is_last)
        self._remove_old(chain)

    def _open(self) -> Chain:
        self._chain = open_chain(self._settings.directory)
        self._offset = max(self._offset, self._chain.next_sequence - self._written)
        return self._chain

    def _leave_chain(self) -> None:
        """Open the chain anew at the next attempt: its directory may have been removed."""
        if self._chain is not None:
            self._chain.close()
            self._chain = None

    def _collect(self, decisions: Sequence[Decision]) -> None:
        for hour, group in groupby(decisions, lambda decision: format_hour(decision.time_us)):
            if not self._parts or self._parts[-1].hour != hour:
                due = time.monotonic() + self._settings.rotate_seconds
                self._parts.append(Part(hour, due))
            self._parts[-1].add(list(group))

    def _write_parts(self, chain: Chain, *, everything: bool) -> None:
        """Write the parts that no row will be added to, and forget them one by one."""
        while self._parts and (everything or len(self._parts) > 1 or self._is_due(self._parts[0])):
            part = self._parts[0]
            table = pa.Table.from_batches(part.batches).combine_chunks()
            chain.append(table, part.hour, first_sequence=self._offset)
            self._status.rows_written += part.rows
            self._written = chain.next_sequence - self._offset
            del self._parts[0]

    def _is_due(self, part: Part) -> bool:
        return part.rows >= self._settings.rotate_rows or time.monotonic() >= part.due

    def _remove_old(self, chain: Chain) -> None:
        if time.monotonic() < self._next_retention:
            return
        self._next_retention = time.monotonic() + RETENTION_SECONDS
        hour = format_hour(self._queue.now_us() - self._settings.keep_days * DAY_US)
        try:
            chain.remove_before(hour)
            remove_idle_before(self._settings.directory, hour)
        except (XuanpinError, OSError) as error:
            _logger.error("decision log: old files stay: %s", _describe(error))  # noqa: TRY400 - no input

    def _report_dropped(self) -> None:
        dropped = self._queue.dropped - self._dropped
        if dropped and self._dropping.is_due():
            self._dropped += dropped
            _logger.warning("decision log: %s rows were answered and not logged", f"{dropped:,}")

    def _report_lost(self) -> None:
        self._report_dropped()
        lost = self._queue.rows + sum(part.rows for part in self._parts)
        if lost:
            _logger.error("decision log: the last %s rows are lost", f"{lost:,}")
