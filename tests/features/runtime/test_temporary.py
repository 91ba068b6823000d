"""What a killed process left is swept by the next one, and nothing that a process works on."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from features.runtime.temporary import (
    PREFIX,
    create_directory,
    earlier_path,
    sweep,
    temporary_directory,
    temporary_file,
)
from tests.worlds.processes import Program

LEFT = f"{PREFIX}0123456789abcdef"
EARLIER = earlier_path(Path(LEFT), Path("out")).name
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
        ({LEFT, EARLIER}, {"out/" + LEFT}),  # killed between the two renames
        ({LEFT, EARLIER, "out"}, {LEFT + "/" + LEFT, EARLIER + "/" + EARLIER, "out/out"}),
        ({EARLIER, "out"}, {"out/out"}),
        ({EARLIER}, set()),
    ],
)
def test_sweep_finishes_a_replacement_that_was_cut_off(
    tmp_path: Path, left: set[str], stays: set[str]
) -> None:
    for name in left:
        (tmp_path / name / name).mkdir(parents=True)
    sweep(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*")} == stays
    assert names(tmp_path) == {name.partition("/")[0] for name in stays}


@pytest.mark.parametrize(
    "name",
    [
        "orders.parquet",
        ".hidden",
        ".writing-notes",
        ".writing-0123456789abcdef",
        f"{PREFIX}my notes",
        f"{PREFIX}notes",
        f"{LEFT}.txt",
        f"{LEFT}0",
        f"{LEFT}\n",
        f"my{LEFT}",
    ],
)
@pytest.mark.parametrize("make", [Path.touch, lambda path: (path / "mine").mkdir(parents=True)])
def test_sweep_spares_the_names_of_others(
    tmp_path: Path, name: str, make: Callable[[Path], object]
) -> None:
    make(tmp_path / name)
    with temporary_file(tmp_path), temporary_directory(tmp_path):
        pass
    assert names(tmp_path) == {name}


def test_replacement_of_a_running_process_is_left_to_it(tmp_path: Path) -> None:
    with temporary_directory(tmp_path) as staged:
        earlier = earlier_path(staged, tmp_path / "out")
        earlier.mkdir()
        sweep(tmp_path)
        assert names(tmp_path) == {staged.name, earlier.name}


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
