"""The house: how many modules a folder may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STOREYS = ("features", "serving", "training", "experiments", "tests")
MAX_MODULES = 20
FOLDERS = sorted(
    {path.parent.relative_to(ROOT) for storey in STOREYS for path in (ROOT / storey).rglob("*.py")}
)


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_folder_holds_no_more_modules_than_a_reader_can_survey(folder: Path) -> None:
    modules = [path.name for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MAX_MODULES
