"""A progress display that only appears when work takes long and somebody watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def stage_progress() -> Iterator[Callable[[str], None]]:
    """Show stages on standard error; yields what to call with a few words when one begins."""
    columns = (
        SpinnerColumn(finished_text="-"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def tell(stage: str) -> None:
            finish()
            progress.add_task(stage, total=1)

        def finish() -> None:
            for task in progress.tasks:
                progress.update(task.id, completed=1)

        yield tell
        finish()


DISPLAY_DELAY_SECONDS: Final = 2.0
"""Shorter work is over before a display helps."""


@contextmanager
def show_late_progress() -> Iterator[Callable[[str, int], None]]:
    """Yield a function to tell (what is worked on, rows so far); it draws on standard error.

    Nothing is drawn in the first two seconds, nor where standard error isn't a terminal.
    """
    from rich.console import Console  # noqa: PLC0415 - a command line's start must stay quick
    from rich.status import Status  # noqa: PLC0415 - likewise

    console = Console(stderr=True)
    status = Status("", console=console)
    started = time.monotonic()

    def tell(subject: str, rows: int) -> None:
        status.update(f"{subject}: {rows:,} rows")
        if console.is_terminal and time.monotonic() - started > DISPLAY_DELAY_SECONDS:
            status.start()

    try:
        yield tell
    finally:
        status.stop()
