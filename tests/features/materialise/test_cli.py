"""`xuanpin features materialise`: what it writes, what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.cli import app
from features.dataset.as_of import AfterAllDataError, BeforeAllDataError, FarDayError, NotADayError
from features.dataset.days import NotAMidnightError
from features.materialise.refresh import SnapshotIsLaterError
from features.online.contents import SnapshotRefusedError
from features.online.files import verify_snapshot
from features.online.snapshot import OnlineSnapshot
from features.runtime.errors import XuanpinError
from features.runtime.pointer import resolve
from features.runtime.signature import PUBLIC_KEY, make_keys, read_public_key
from features.validation.validated_files import NotValidatedError
from tests.worlds.random_markets import as_arrow, random_world
from tests.worlds.validated import write_validated


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tables = {name: as_arrow(name, frame) for name, frame in random_world(8).items()}
    return write_validated(tables, tmp_path_factory.mktemp("validated"))


def run(data: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["materialise", "--data", str(data), *options])


@pytest.fixture(scope="module")
def snapshots(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "snapshots"
    private, _ = make_keys(out.parent)
    options = ("--as-of", "2024-04-01", "--out", str(out))
    result = run(data, *options, "--signing-key", str(private))
    assert result.exit_code == 0, result.exception
    assert "The snapshot of 2024-04-01 is in" in result.stdout
    return out


def test_snapshot_is_published_whole_and_says_what_it_is_of(snapshots: Path) -> None:
    directory = resolve(snapshots)
    verify_snapshot(directory, read_public_key(snapshots.parent / PUBLIC_KEY))
    snapshot = OnlineSnapshot.open(directory)
    assert snapshot.as_of.isoformat() == "2024-04-01T00:00:00+00:00"
    assert sorted(path.name for path in snapshots.iterdir()) == sorted(["CURRENT", directory.name])


def test_refresh_publishes_the_snapshot_that_is_made_anew(
    data: Path, snapshots: Path, tmp_path: Path
) -> None:
    options = ("--as-of", "2024-04-03T00:00:00Z", "--json", "--out", str(tmp_path))
    refreshed = json.loads(run(data, *options, "--since", str(snapshots)).stdout)
    anew = json.loads(run(data, *options).stdout)
    assert refreshed["all_because"] is None
    assert refreshed["snapshot_id"] == anew["snapshot_id"] == resolve(tmp_path).name
    computed = {level: one["computed"] for level, one in refreshed["levels"].items()}
    assert computed != {level: one["computed"] for level, one in anew["levels"].items()}


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        (("--as-of", "soon"), NotADayError, "The --as-of soon isn't a day"),
        (("--as-of", "2024-02-30"), NotADayError, "2024-02-30 isn't a day"),
        (
            ("--as-of", "2024-04-01T09:00"),
            NotAMidnightError,
            "The as_of 2024-04-01T09:00:00+00:00 isn't",
        ),
        (("--as-of", "2019-01-01"), BeforeAllDataError, "known as of 2019-01-01"),
        (("--as-of", "2062-05-01"), AfterAllDataError, "more than 31 days after"),
        (("--as-of", "0001-01-10"), FarDayError, "outside 2000-01-01 to 2100-01-01"),
        (("--as-of", "9999-12-31T00:00-05:00"), FarDayError, "Check the year"),
        (("--since", "nowhere"), SnapshotRefusedError, "snapshot.json: it is missing"),
        (("--data", "nowhere"), NotValidatedError, "Write one with `xuanpin check"),
    ],
)
def test_refusal_says_what_is_expected_and_leaves_nothing_behind(
    data: Path, tmp_path: Path, options: tuple[str, str], error: type[XuanpinError], says: str
) -> None:
    out = tmp_path / "out"
    result = run(data, "--out", str(out), *options)
    assert isinstance(result.exception, error)
    assert says in str(result.exception)
    assert not out.exists()


def test_refresh_from_a_later_snapshot_is_refused(
    data: Path, snapshots: Path, tmp_path: Path
) -> None:
    options = ("--as-of", "2024-03-31", "--since", str(snapshots), "--out", str(tmp_path))
    assert isinstance(run(data, *options).exception, SnapshotIsLaterError)


def test_refresh_from_a_damaged_snapshot_is_refused(
    data: Path, snapshots: Path, tmp_path: Path
) -> None:
    shutil.copytree(snapshots, tmp_path / "damaged")
    file = resolve(tmp_path / "damaged") / "data.mdb"
    content = bytearray(file.read_bytes())
    content[-9] ^= 1
    file.write_bytes(bytes(content))
    result = run(data, "--since", str(tmp_path / "damaged"), "--out", str(tmp_path / "out"))
    assert isinstance(result.exception, SnapshotRefusedError)
    assert "data.mdb was changed (SHA-256" in str(result.exception)


@pytest.mark.parametrize("command", ["materialise", "parity", "check"])
def test_help_names_the_section_that_settings_stand_in(command: str) -> None:
    assert (
        "[horizons]" in CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "120"}).stdout
    )
