"""One way to report progress, and one display of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:  # a command line's start must stay quick
    from rich.progress import Progress

SHORT_WORK_SECONDS: Final = 2.0
"""Shorter work is over before a display helps."""


class ProgressCallback(Protocol):
    """What long work calls when a stage begins, and again as rows of it are done."""

    def __call__(self, stage: str, rows: int = 0, /) -> None:
        """Take the stage in a few words, and how many rows of it are done; 0 is not shown."""


def ignore_progress(_stage: str, _rows: int = 0, /) -> None:
    """Show nothing."""


def prefix_progress(prefix: str, progress: ProgressCallback) -> ProgressCallback:
    """Return a callback that reports to `progress` with `prefix` before each stage."""

    def report(stage: str, rows: int = 0, /) -> None:
        progress(f"{prefix}: {stage}", rows)

    return report


def _finish(display: Progress) -> None:
    for task in display.tasks:
        display.update(task.id, completed=1)


@contextmanager
def show_progress(*, delay_seconds: float = 0.0) -> Iterator[ProgressCallback]:
    """Yield a callback that draws one line a stage on standard error, with the time it took.

    With a delay, nothing is drawn before it is over nor where standard error isn't a terminal, and
    the lines vanish when the work is done.
    """
    from rich.console import Console  # noqa: PLC0415 - a command line's start must stay quick
    from rich.progress import (  # noqa: PLC0415 - likewise
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    is_delayed = delay_seconds > 0
    columns = (
        SpinnerColumn(finished_text="-"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    display = Progress(*columns, console=Console(stderr=True), transient=is_delayed)
    started = time.monotonic()
    current = ""

    def report(stage: str, rows: int = 0, /) -> None:
        nonlocal current
        description = f"{stage}: {rows:,} rows" if rows else stage
        if stage == current:
            display.update(display.tasks[-1].id, description=description)
        else:
            _finish(display)
            display.add_task(description, total=1)
            current = stage
        if (
            is_delayed
            and display.console.is_terminal
            and time.monotonic() - started > delay_seconds
        ):
            display.start()

    if not is_delayed:
        display.start()
    try:
        yield report
        _finish(display)
    finally:
        if display.live.is_started:  # to stop it prints an empty line where nobody watches
            display.stop()
