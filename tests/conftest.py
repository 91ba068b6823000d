"""What holds for every test: long files begin first, and the collector of cycles runs less often.

Ibis makes and drops millions of small objects a query, next to hundreds of thousands that live as
long as the session: looking for cycles among them took a fifth of the time. Cycles are still found.
"""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tests.worlds.year_market import write_year_market

ALLOCATED = 70_000
YOUNGER_RUNS = 20
LONG = {
    "test_spark.py",
    "test_killed_training.py",
    "test_killed_tuning.py",
    "test_main_job.py",
    "test_blindness.py",
    "test_selected_lists.py",
    "test_interpreter.py",
    "test_personal_data.py",
    "test_refresh.py",
}
"""Half a minute and more each: the last of them would run alone."""


def pytest_configure() -> None:
    gc.set_threshold(ALLOCATED, YOUNGER_RUNS, YOUNGER_RUNS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def year_market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a source directory with products, listings, orders and returns, for all that read."""
    return write_year_market(tmp_path_factory.mktemp("year") / "market")
