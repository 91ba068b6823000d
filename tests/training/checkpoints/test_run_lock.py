from __future__ import annotations

import os
from pathlib import Path

import pytest

from features.runtime.errors import StorageError
from features.runtime.temporary import PREFIX, temporary_file
from training.checkpoints.run_lock import RunInUseError, run_lock


def test_second_user_is_refused_with_the_process_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = Path("run")
    with run_lock(run), pytest.raises(RunInUseError) as caught, run_lock(run):
        pass
    assert str(caught.value) == (
        f"Process {os.getpid()} is already training in run. Wait for it, or choose another --out."
    )
    assert caught.value.exit_code == 6


def test_next_user_is_let_in_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), run_lock(tmp_path):
        raise ZeroDivisionError
    with run_lock(tmp_path), run_lock(tmp_path / "another"):
        pass


def test_run_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(StorageError), run_lock(tmp_path / "run"):
        pass


def test_what_a_killed_process_left_half_written_is_removed_and_nothing_else(
    tmp_path: Path,
) -> None:
    half = (
        f"{PREFIX}{1:016}/.work-2/spill",
        f"{PREFIX}{2:016}.earlier-validated/orders.parquet",
        f"{PREFIX}{3:016}",
        f"{PREFIX}{4:016}/mlflow.db",
        f"stages/{PREFIX}{5:016}",
        f"bundles/{PREFIX}{6:016}/manifest.json",
        f"bundles/{PREFIX}{7:016}",
    )
    whole = (
        "validated/orders.parquet",
        "training_rows.parquet",
        "mlflow.db",
        "stages/check.json",
        "bundles/CURRENT",
        "bundles/0123/manifest.json",
        f"notes/{PREFIX}{8:016}",
    )
    for name in (*half, *whole):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content")
    with (
        temporary_file(tmp_path) as ours,
        temporary_file(tmp_path / "bundles") as pointer,
        run_lock(tmp_path),
    ):
        assert ours.exists()
        assert pointer.exists()
    with run_lock(tmp_path):
        left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert {name for name in left if (tmp_path / name).is_file()} == {".lock", *whole}
