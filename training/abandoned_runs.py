"""Runs that a killed process left open: MLflow would show them as running for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from training.process_mark import ProcessMark, is_surely_gone, read_mark

PROCESS_TAG: Final = "xuanpin.process"

OPEN_AND_OURS: Final = f"attributes.status = 'RUNNING' AND tags.`{PROCESS_TAG}` LIKE '{{%'"


def end_abandoned(client: Any, here: ProcessMark) -> None:  # noqa: ANN401 - MLflow ships no types
    """Mark as KILLED every open run of ours, child runs too, whose process is surely gone."""
    experiments = [one.experiment_id for one in _pages(client.search_experiments)]
    if not experiments:
        return

    def search(**page: object) -> Any:  # noqa: ANN401 - likewise
        return client.search_runs(experiments, OPEN_AND_OURS, **page)

    for run in list(_pages(search)):  # all of them, before any leaves the pages
        mark = read_mark(run.data.tags[PROCESS_TAG])
        if mark is not None and is_surely_gone(mark, here):
            client.set_terminated(run.info.run_id, "KILLED")


def _pages(search: Callable[..., Any]) -> Iterator[Any]:
    """Yield what a search of MLflow finds, page by page."""
    token = None
    while True:
        found = search(page_token=token)
        yield from found
        token = found.token
        if not token:
            return
