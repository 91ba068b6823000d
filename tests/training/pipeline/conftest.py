"""Run directories to train in, with an empty tracking database: making one takes MLflow long."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from training.tracking.store import DATABASE


@pytest.fixture(scope="session")
def new_run(prepared_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Return a function that makes a run directory for a training from the beginning."""

    def make() -> Path:
        out = tmp_path_factory.mktemp("job") / "run"
        out.mkdir()
        shutil.copy(prepared_run / DATABASE, out)
        return out

    return make


@pytest.fixture
def prepared_copy(prepared_run: Path, tmp_path: Path) -> Path:
    """Return a run directory of the year market that is checked, and its rows computed."""
    return Path(shutil.copytree(prepared_run, tmp_path / "run"))
