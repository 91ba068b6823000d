"""One small market for every test of the main job."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.year_market import write_year_market


@pytest.fixture(scope="session")
def year_market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a source directory with products, listings, orders and returns."""
    return write_year_market(tmp_path_factory.mktemp("year") / "market")
