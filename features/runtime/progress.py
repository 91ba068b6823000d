"""Report the progress of long work, and display it on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:  # a command line's start must stay quick
    from rich.console import Console
    from rich.progress import Progress

SHORT_WORK_SECONDS: Final = 2.0
"""Work shorter than this ends before a display helps."""

MAX_LINES: Final = 1_000
"""Lines of progress in a log: a search with many trials has a stage for each."""


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

    With a delay, nothing is drawn before the delay is over, and the lines vanish at the end. Where
    standard error isn't a terminal, each stage is a line as it begins, or nothing with a delay.
    """
    from rich.console import Console  # noqa: PLC0415 - a command line's start must stay quick

    console = Console(stderr=True)
    if console.is_terminal:
        with _draw_stages(console, delay_seconds) as report:
            yield report
    else:
        yield ignore_progress if delay_seconds > 0 else _log_stages(console.file)


def _log_stages(log: IO[str]) -> ProgressCallback:
    """Return a callback that writes a line as a stage begins, and at most `MAX_LINES` lines."""
    started = time.monotonic()
    stages: list[str] = []

    def report(stage: str, _rows: int = 0, /) -> None:
        if stages[-1:] == [stage] or len(stages) == MAX_LINES:
            return
        stages.append(stage)
        elapsed = timedelta(seconds=int(time.monotonic() - started))
        more = " (the last stage that is shown here)" if len(stages) == MAX_LINES else ""
        print(f"{elapsed} {stage}{more}", file=log, flush=True)

    return report


@contextmanager
def _draw_stages(console: Console, delay_seconds: float) -> Iterator[ProgressCallback]:
    display = _create_display(console, is_transient=delay_seconds > 0)
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
        if delay_seconds > 0 and time.monotonic() - started > delay_seconds:
            display.start()

    if delay_seconds <= 0:
        display.start()
    try:
        yield report
        _finish_tasks(display)
    finally:
        if display.live.is_started:  # a display that never started would print an empty line
            display.stop()


def _create_display(console: Console, *, is_transient: bool) -> Progress:
    from rich.progress import (  # noqa: PLC0415 - a command line's start must stay quick
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        SpinnerColumn(finished_text="-"),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=is_transient,
    )


def _finish_tasks(display: Progress) -> None:
    for task in display.tasks:
        display.update(task.id, completed=1)
