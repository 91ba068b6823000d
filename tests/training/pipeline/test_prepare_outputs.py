"""What a run can't write is refused before it trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.dataset.horizons import Horizons
from features.runtime.errors import StorageError
from features.runtime.progress import ignore_progress
from training.pipeline.job import TrainingJob, run_training
from training.pipeline.main_job import run
from training.settings import TrainingSettings


@pytest.mark.parametrize("name", ["bundles", "snapshots"])
def test_file_in_the_place_of_a_directory_is_refused_first(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(
        StorageError, match=f"is a file, not a directory: .*{name}[.] Choose another path"
    ):
        run(_job(tmp_path), ignore_progress)
    assert not (tmp_path / "validated").exists()


def test_directory_in_the_place_of_the_candidates_is_refused_first(tmp_path: Path) -> None:
    (tmp_path / "candidates.csv").mkdir()
    with pytest.raises(
        StorageError, match=r"is a directory, not a file: .*candidates\.csv\. Name a file"
    ):
        run(_job(tmp_path), ignore_progress)
    assert not (tmp_path / "validated").exists()


def test_training_alone_needs_no_place_for_snapshots(tmp_path: Path) -> None:
    (tmp_path / "bundles").touch()
    (tmp_path / "snapshots").touch()
    with pytest.raises(StorageError, match=r"bundles\. Choose another path"):
        run_training(_job(tmp_path), ignore_progress)


def _job(out: Path) -> TrainingJob:
    missing = out / "no such source"
    return TrainingJob(source=missing, out=out, horizons=Horizons(), settings=TrainingSettings())
