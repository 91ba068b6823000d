from __future__ import annotations

from pathlib import Path

import pytest

from training.checkpoints.code_version import ROOT, code_version, fingerprint_packages


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for package in ("features", "serving", "training", "experiments"):
        (tmp_path / package / "inner").mkdir(parents=True)
        (tmp_path / package / "inner" / "code.py").write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("features/inner/code.py", "x = 2\n"),
        ("serving/inner/code.py", ""),
        ("training/new.py", ""),
    ],
)
def test_fingerprint_follows_our_code(root: Path, path: str, text: str) -> None:
    before = fingerprint_packages(root)
    (root / path).write_text(text)
    assert fingerprint_packages(root) != before


def test_fingerprint_follows_the_names_of_our_files(root: Path) -> None:
    before = fingerprint_packages(root)
    (root / "features/inner/code.py").rename(root / "features/inner/moved.py")
    assert fingerprint_packages(root) != before


@pytest.mark.parametrize("path", ["features/PAGE.md", "experiments/inner/code.py", "xuanpin.py"])
def test_fingerprint_leaves_out_what_makes_no_numbers(root: Path, path: str) -> None:
    before = fingerprint_packages(root)
    (root / path).write_text("anything")
    assert fingerprint_packages(root) == before


def test_program_says_which_code_and_libraries_are_running() -> None:
    facts = code_version()
    assert facts["code"] == fingerprint_packages(ROOT)
    assert (ROOT / "training" / "checkpoints" / "code_version.py").is_file()
    libraries = facts["libraries"]
    assert isinstance(libraries, dict)
    assert {"lightgbm", "numpy", "duckdb"} <= libraries.keys()
