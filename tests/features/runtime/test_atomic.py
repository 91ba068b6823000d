"""Files and directories are written whole or not at all, and never over somebody else's files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from features.runtime.atomic import (
    ForeignDirectoryError,
    OverlapError,
    _swap,
    check_writable,
    refuse_overlap,
    replace_file,
    write_atomically,
    write_directory,
)
from features.runtime.errors import StorageError
from features.runtime.refusals import raise_storage_errors
from features.runtime.temporary import PREFIX
from features.validation.validate import validate
from tests.worlds.sources import order, required_source, write_parquet

MARK = "mark.json"


def has_mark(directory: Path) -> bool:
    return (directory / MARK).is_file()


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def publish(out: Path, text: str) -> None:
    with write_directory(out, has_mark) as partial:
        (partial / MARK).write_text(text)


@pytest.mark.parametrize("prepare", [lambda _: None, Path.mkdir, lambda out: publish(out, "old")])
def test_publication_puts_the_directory_in_place_and_leaves_nothing_beside(
    tmp_path: Path, prepare: Callable[[Path], object]
) -> None:
    out = tmp_path / "out"
    prepare(out)
    publish(out, "new")
    assert (out / MARK).read_text() == "new"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize(
    ("earlier", "made", "mode"),
    [(None, 0o700, 0o700), (None, 0o755, 0o755), (0o750, 0o700, 0o750), (0o755, 0o700, 0o755)],
)
def test_new_directory_has_its_kinds_mode_and_a_replaced_one_passes_its_own_on(
    tmp_path: Path, earlier: int | None, made: int, mode: int
) -> None:
    out = tmp_path / "out"
    if earlier is not None:
        out.mkdir()
        out.chmod(earlier)
    with write_directory(out, mode=made) as partial:
        assert partial.stat().st_mode & 0o777 == 0o700
    assert out.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(("earlier", "mode"), [(None, 0o644), (0o600, 0o600), (0o664, 0o664)])
def test_new_file_has_the_mode_of_any_program_and_a_replaced_one_passes_its_own_on(
    tmp_path: Path, earlier: int | None, mode: int
) -> None:
    path = tmp_path / "one"
    if earlier is not None:
        path.touch()
        path.chmod(earlier)
    umask = os.umask(0o022)
    replace_file(path, b"1")
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == mode


def test_publication_makes_the_directories_above(tmp_path: Path) -> None:
    publish(tmp_path / "a" / "b", "new")
    assert (tmp_path / "a" / "b" / MARK).read_text() == "new"


def test_new_directory_outlives_a_kill_between_the_two_renames(tmp_path: Path) -> None:
    for name, text in ((f"{PREFIX}{0:016}", "whole"), (f"{PREFIX}{0:016}.earlier-out", "old")):
        (tmp_path / name).mkdir()
        (tmp_path / name / MARK).write_text(text)
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "out")
    assert (tmp_path / "out" / MARK).read_text() == "whole"
    assert names(tmp_path) == ["out"]


def test_writer_whose_target_another_one_made_names_the_target(tmp_path: Path) -> None:
    staged, target = tmp_path / ".staged", tmp_path / "out"
    staged.mkdir()
    publish(target, "another's")
    with pytest.raises(StorageError) as caught, raise_storage_errors():
        staged.rename(target)
    assert str(caught.value) == f"The directory isn't empty: {target}. Choose another path."


def interrupted(out: Path) -> None:
    with write_directory(out, has_mark) as partial:
        (partial / MARK).write_text("new")
        raise KeyboardInterrupt


def test_publication_that_fails_leaves_the_earlier_result(tmp_path: Path) -> None:
    out = tmp_path / "out"
    publish(out, "old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(out)
    assert (out / MARK).read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_publication_whose_last_step_fails_puts_the_earlier_result_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    publish(out, "old")
    with pytest.raises(FileNotFoundError):
        _swap(tmp_path / ".lost", out)
    assert (out / MARK).read_text() == "old"
    assert names(tmp_path) == ["out"]


def fill(out: Path) -> None:
    out.mkdir()
    for name in "abcdefg":
        (out / name).touch()


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (fill, r"other files: a, b, c, d, e and 2 more\. Name another directory"),
        (Path.touch, r"is a file, not a directory\."),
    ],
)
def test_publication_over_something_else_is_refused(
    tmp_path: Path, prepare: Callable[[Path], object], message: str
) -> None:
    prepare(tmp_path / "out")
    with pytest.raises(ForeignDirectoryError, match=message):
        publish(tmp_path / "out", "new")
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize(("source", "out"), [("a", "a"), ("a/b", "a"), ("a/b", "a/b/../../a")])
def test_publication_over_its_own_source_is_refused(tmp_path: Path, source: str, out: str) -> None:
    with pytest.raises(OverlapError, match="would replace its own source"):
        refuse_overlap(tmp_path / source, tmp_path / out)


@pytest.mark.parametrize("out", ["b", "a/b", "ab"])
def test_publication_beside_or_below_its_source_is_allowed(tmp_path: Path, out: str) -> None:
    refuse_overlap(tmp_path / "a", tmp_path / out)


def write_one(out: Path, text: str) -> None:
    with write_directory(out) as partial:
        (partial / "a.json").write_text(text)


def test_directory_without_a_rule_for_replacing_keeps_the_one_before(tmp_path: Path) -> None:
    write_one(tmp_path / "one", "1")
    with pytest.raises(ForeignDirectoryError, match=r"a\.json"):
        write_one(tmp_path / "one", "2")
    assert names(tmp_path) == ["one"]
    assert (tmp_path / "one" / "a.json").read_text() == "1"


def write_late(out: Path) -> None:
    with write_directory(out) as partial:
        (partial / "a.json").write_text("1")
        fill(out)


def test_directory_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(ForeignDirectoryError, match="a, b, c"):
        write_late(tmp_path / "out")
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == list("abcdefg")


def test_directory_is_on_the_disk_with_all_below_it_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    fsync, rename = os.fsync, os.rename

    def record(handle: int) -> None:
        fsync(handle)
        synced.add(os.fstat(handle).st_ino)

    def check(source: Path, target: Path) -> None:
        assert {path.stat().st_ino for path in (source, *source.rglob("*"))} <= synced
        rename(source, target)

    monkeypatch.setattr(os, "fsync", record)
    monkeypatch.setattr(os, "rename", check)
    with write_directory(tmp_path / "out") as partial:
        (partial / "inner").mkdir()
        (partial / "inner" / "a.json").write_text("1")
    assert (tmp_path / "out" / "inner" / "a.json").read_text() == "1"
    assert tmp_path.stat().st_ino in synced


def test_file_replaced_in_vain_leaves_the_one_before(tmp_path: Path) -> None:
    replace_file(tmp_path / "one", b"1")
    with pytest.raises(StorageError) as caught:
        replace_file(tmp_path / "one" / "two", b"2")
    assert caught.value.exit_code == 6
    assert names(tmp_path) == ["one"]
    assert (tmp_path / "one").read_bytes() == b"1"


def unwritable(parent: Path) -> Path:
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to root")
    parent.chmod(0o555)
    return parent / "out"


def below_a_file(parent: Path) -> Path:
    (parent / "file").touch()
    return parent / "file" / "out"


def in_the_kernels_files(_parent: Path) -> Path:
    if not Path("/proc/self").exists():
        pytest.skip("a file system that can't be written is needed")
    return Path("/proc/xuanpin/out")


@pytest.mark.parametrize("make", [unwritable, below_a_file, in_the_kernels_files])
def test_publication_refused_by_the_disk_is_a_storage_error(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    # H39: read-only and forbidden places.
    (tmp_path / "parent").mkdir()
    with pytest.raises(StorageError, match=r"^[A-Z].+: .+\. .+\.$"):
        publish(make(tmp_path / "parent"), "new")


LIMITED = """
import resource, signal, sys
from features.validation.validate import validate
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    validate(Path(sys.argv[1]), Path(sys.argv[2]))
except Exception as error:
    print(type(error).__name__, error)
"""


def a_directory(parent: Path) -> Path:
    (parent / "out").mkdir()
    return parent / "out"


@pytest.mark.parametrize("make", [a_directory, unwritable, below_a_file, in_the_kernels_files])
def test_file_that_cannot_be_written_is_refused_by_its_name_before_any_work(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    (tmp_path / "parent").mkdir()
    path = make(tmp_path / "parent")
    with pytest.raises(StorageError) as caught, write_atomically(path):
        pytest.fail("work was begun")
    assert f": {path}." in str(caught.value)


@pytest.mark.parametrize("name", ["out", "a/b/out"])
def test_check_of_a_file_makes_nothing(tmp_path: Path, name: str) -> None:
    check_writable(tmp_path / name)
    assert names(tmp_path) == []


def test_publication_without_room_leaves_the_earlier_result(tmp_path: Path) -> None:
    # H39: the system refuses to let a file grow, as on a full disk, in the middle of the work.
    source = required_source()
    validate(write_parquet(tmp_path / "small", source), tmp_path / "out")
    earlier = (tmp_path / "out" / "report.json").read_bytes()
    source["orders"] = [order(f"l{number * 7919}") for number in range(20_000)]
    data = write_parquet(tmp_path / "large", source)
    command = [sys.executable, "-c", LIMITED, str(data), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("RefusedByDiskError The file exceeds the system's limit")
    assert (tmp_path / "out" / "report.json").read_bytes() == earlier
    assert names(tmp_path) == ["large", "out", "small"]
