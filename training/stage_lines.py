"""The display of a long job: one line a stage, with the time it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def stages() -> Iterator[Callable[[str], None]]:
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
