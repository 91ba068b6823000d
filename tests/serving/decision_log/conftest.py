"""What the tests of the decision log start from: scored candidates."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from features.online.snapshot import OnlineSnapshot
from serving.bundle.bundle import Bundle
from serving.scoring.admission import admit_all
from serving.scoring.score import Scoring, score_with_inputs
from tests.worlds.logs.decisions import parse, random_candidates


@pytest.fixture(scope="session")
def scoring(bundle: Bundle, snapshot: OnlineSnapshot) -> Scoring:
    """Three scored candidates."""
    admitted = admit_all(snapshot, parse(random_candidates(3)))
    return score_with_inputs(bundle, snapshot, admitted, coverage=0.8)


@pytest.fixture
def run(run_directory: Path, tmp_path: Path) -> Path:
    """A run directory for one test, because LMDB opens a file once in a process."""
    shutil.copytree(run_directory, tmp_path / "run")
    return tmp_path / "run"
