"""What a killed process left is swept by the next one, and nothing that a process works on."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from features.runtime.temporary import (
    EARLIER,
    PREFIX,
    create_directory,
    sweep,
    temporary_directory,
    temporary_file,
)
from tests.worlds.processes import Program

LEFT = f"{PREFIX}left"
WORK = """
import sys, time
from pathlib import Path
from features.runtime.temporary import temporary_directory, temporary_file
with temporary_directory(Path(sys.argv[1])) as folder, temporary_file(Path(sys.argv[1])):
    (folder / "orders.parquet").write_text("rows of people")
    print("at work", flush=True)
    time.sleep(600)
"""


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_work_of_a_running_process_stays_and_that_of_a_killed_one_is_swept(tmp_path: Path) -> None:
    with Program(WORK, tmp_path) as program:
        program.read_line()
        at_work = names(tmp_path)
        sweep(tmp_path)
        assert names(tmp_path) == at_work
        assert len(at_work) == 2
        program.kill()
    assert names(tmp_path) == at_work
    with temporary_file(tmp_path) as file:
        assert names(tmp_path) == {file.name}


@pytest.mark.parametrize(
    "leave",
    [Path.touch, Path.mkdir, os.mkfifo, lambda path: (path / "a" / "b").mkdir(parents=True)],
)
def test_leftover_of_any_kind_is_swept(tmp_path: Path, leave: Callable[[Path], object]) -> None:
    leave(tmp_path / LEFT)
    sweep(tmp_path)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("left", "stays"),
    [
        ({"orders.parquet", ".hidden", "writing-1"}, {"orders.parquet", ".hidden", "writing-1"}),
        ({LEFT, LEFT + EARLIER}, {LEFT, LEFT + EARLIER}),  # one of them is the only result
        ({LEFT + EARLIER}, set()),
    ],
)
def test_sweep_spares_other_names_and_both_halves_of_a_swap(
    tmp_path: Path, left: set[str], stays: set[str]
) -> None:
    for name in left:
        (tmp_path / name).mkdir()
    sweep(tmp_path)
    assert names(tmp_path) == stays


def test_sweep_follows_no_link(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (tmp_path / LEFT).symlink_to(kept)
    sweep(tmp_path)
    assert kept.is_dir()


def test_temporary_names_are_gone_after_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with temporary_directory(tmp_path) as folder, temporary_file(folder):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(tmp_path) == set()


def test_temporary_directory_is_private_from_its_first_moment(tmp_path: Path) -> None:
    umask = os.umask(0)
    path, lock = create_directory(tmp_path)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o700
    os.close(lock)


def test_directory_is_made_again_if_a_sweep_took_it_before_it_was_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    swept: list[Path] = []

    def take_first(handle: int, operation: int) -> None:
        if not swept:
            swept.extend(tmp_path.iterdir())
            swept[0].rmdir()
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", take_first)
    with temporary_directory(tmp_path) as folder:
        assert folder.is_dir()
        assert [folder] != swept


def test_disk_without_locks_is_written_to_and_not_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_handle: int, _operation: int) -> None:
        raise OSError(95, "not supported")

    (tmp_path / LEFT).mkdir()
    monkeypatch.setattr(fcntl, "flock", refuse)
    with temporary_directory(tmp_path) as folder:
        assert folder.is_dir()
    assert names(tmp_path) == {LEFT}
