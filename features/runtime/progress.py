"""Report the progress of long work, and display it on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:  # a command line's start must stay quick
    from rich.progress import Progress

SHORT_WORK_SECONDS: Final = 2.0
"""Work shorter than this ends before a display helps."""


class ProgressCallback(Protocol):
    """Report the progress of long work: called when a stage begins and as its rows are done."""

    def __call__(self, stage: str, rows: int = 0, /) -> None:
        """Report a stage in a few words and its rows done so far; 0 isn't shown."""


def ignore_progress(_stage: str, _rows: int = 0, /) -> None:
    """Ignore a report of progress."""


def prefix_progress(prefix: str, progress: ProgressCallback) -> ProgressCallback:
    """Return a callback that reports to `progress` with `prefix` before each stage."""

    def report(stage: str, rows: int = 0, /) -> None:
        progress(f"{prefix}: {stage}", rows)

    return report


@contextmanager
def show_progress(*, delay_seconds: float = 0.0) -> Iterator[ProgressCallback]:
    """Yield a callback that draws one line a stage on standard error, with the elapsed time.

    With a delay, nothing is drawn before the delay is over or where standard error isn't a
    terminal, and the lines vanish at the end.
    """
    display = _create_display(is_transient=delay_seconds > 0)
    started = time.monotonic()
    current = ""

    def report(stage: str, rows: int = 0, /) -> None:
        nonlocal current
        description = f"{stage}: {rows:,} rows" if rows else stage
        if stage == current:
            display.update(display.tasks[-1].id, description=description)
        else:
            _finish_tasks(display)
            display.add_task(description, total=1)
            current = stage
        is_due = display.console.is_terminal and time.monotonic() - started > delay_seconds
        if delay_seconds > 0 and is_due:
            display.start()

    if delay_seconds <= 0:
        display.start()
    try:
        yield report
        _finish_tasks(display)
    finally:
        if display.live.is_started:  # a display that never started would print an empty line
            display.stop()


def _create_display(*, is_transient: bool) -> Progress:
    from rich.console import Console  # noqa: PLC0415 - a command line's start must stay quick
    from rich.progress import (  # noqa: PLC0415 - likewise
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        SpinnerColumn(finished_text="-"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=is_transient,
    )


def _finish_tasks(display: Progress) -> None:
    for task in display.tasks:
        display.update(task.id, completed=1)
