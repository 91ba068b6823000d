"""End on SIGTERM, SIGHUP and Ctrl+C in order: clean up, then exit with 128 plus the signal."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_BASE: Final = 128
"""Exit code of a process that a signal ended, as shells count: this plus the signal's number."""


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """Turn the first stop signal into `SystemExit`, so that the block cleans up; obey a second one.

    A signal that the caller ignores, as `nohup` does, stays ignored. Libraries replace what a
    handler raises (DuckDB: RuntimeError "Query interrupted"), so any end after a signal counts as
    its end.
    """
    received: list[int] = []
    watched = [each for each in STOP_SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]

    def stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        for each in watched:
            signal.signal(each, signal.SIG_DFL)
        raise SystemExit(EXIT_BASE + number)

    for number in watched:
        signal.signal(number, stop)
    try:
        yield
    finally:
        if received:
            raise SystemExit(EXIT_BASE + received[0]) from None
