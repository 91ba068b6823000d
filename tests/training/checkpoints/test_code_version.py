from __future__ import annotations

from pathlib import Path

import pytest

from training.checkpoints.code_version import (
    COMPUTING_ROOMS,
    ROOT,
    code_version,
    fingerprint_rooms,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for room in COMPUTING_ROOMS:
        path = tmp_path / room if room.endswith(".py") else tmp_path / room / "inner" / "code.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    for room in ("serving/api", "experiments"):
        (tmp_path / room).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("features/signals/inner/code.py", "x = 2\n"),
        ("serving/prediction/inner/code.py", ""),
        ("training/settings.py", "x = 2\n"),
        ("training/tuning/new.py", ""),
    ],
)
def test_fingerprint_follows_the_code_that_computes(root: Path, path: str, text: str) -> None:
    before = fingerprint_rooms(root)
    (root / path).write_text(text)
    assert fingerprint_rooms(root) != before


def test_fingerprint_follows_the_names_of_files(root: Path) -> None:
    before = fingerprint_rooms(root)
    path = root / "features/signals/inner/code.py"
    path.rename(path.with_name("moved.py"))
    assert fingerprint_rooms(root) != before


@pytest.mark.parametrize(
    "path",
    [
        "features/PAGE.md",
        "features/catalogue/cli.py",
        "features/validation/inner/report_page.py",
        "serving/api/service.py",
        "training/errors.py",
        "experiments/code.py",
        "xuanpin.py",
    ],
)
def test_fingerprint_leaves_out_code_that_computes_nothing(root: Path, path: str) -> None:
    before = fingerprint_rooms(root)
    (root / path).write_text("anything = True\n")
    assert fingerprint_rooms(root) == before


def test_code_version_names_code_and_libraries() -> None:
    facts = code_version()
    assert facts["code"] == fingerprint_rooms(ROOT)
    assert (ROOT / "training" / "checkpoints" / "code_version.py").is_file()
    libraries = facts["libraries"]
    assert isinstance(libraries, dict)
    assert {"lightgbm", "numpy", "duckdb"} <= libraries.keys()
