"""What holds for every test: long files begin first, and the collector of cycles runs less often.

Ibis makes and drops millions of small objects a query, next to hundreds of thousands that live as
long as the session: looking for cycles among them took a fifth of the time. Cycles are still found.
"""

from __future__ import annotations

import gc
import os
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from tests.worlds.shared import make_once

# OpenBLAS reads it when NumPy is imported, so nothing above may, and fixtures import what does.
# Threads of two workers that wait for each other take most of the time of small fits.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

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


# A machine that is shared can take a second for anything: no test is about time.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")


def pytest_configure() -> None:
    gc.set_threshold(ALLOCATED, YOUNGER_RUNS, YOUNGER_RUNS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def shared_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory that all workers of this session have, and no other session."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    (root / "shared").mkdir(exist_ok=True)
    return root / "shared"


@pytest.fixture(scope="session")
def year_market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a source directory with products, listings, orders and returns, for all that read."""
    from tests.worlds.year_market import write_year_market

    return write_year_market(tmp_path_factory.mktemp("year") / "market")


@pytest.fixture(scope="session")
def prepared_run(year_market: Path, shared_root: Path) -> Path:
    """Return a run directory on that market: checked, computed, and nothing fitted yet."""
    from tests.worlds.prepared_run import write_prepared_run

    return make_once(shared_root, "prepared", partial(write_prepared_run, year_market))
