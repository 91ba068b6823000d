"""The rooms of the code: how many modules each may hold, and the picture of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.draw_rooms import PICTURE, draw

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


def test_picture_of_the_rooms_shows_the_imports_of_today() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(), "run `python docs/draw_rooms.py`"
