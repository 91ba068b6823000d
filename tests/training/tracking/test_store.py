"""Databases that can't be used, run directories of any name, and those that were copied."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import optuna
import pytest
from mlflow import MlflowClient
from sqlalchemy.engine import make_url

from tests.worlds.prepared_run import write_database
from tests.worlds.training import QUICK
from training.checkpoints.sqlite_uri import sqlite_uri
from training.tracking import store
from training.tracking.errors import (
    DatabaseRefusedError,
    DeletedExperimentError,
    SchemaVersionError,
)
from training.tracking.mlflow_run import TrackedRun, check_store, make_database, track_run
from training.tracking.store import DATABASE, check_database, show_record

# MLflow 3.17 declares its tables in a way that SQLAlchemy 2.1 calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")

NAMES = (
    *("run%20x", "what?x=1", "a#b", "a;b", "a b", "a'b", 'a"b', "a%", "a%2Fb", "a?b#c%3F"),
    *("é", "[x]", "{x}", "a&b", "a@b", "a:b", "a+b", "a\\b", "$HOME", "-rf"),
)


@pytest.fixture(autouse=True)
def _no_server_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty tracking database, made once."""
    directory = tmp_path_factory.mktemp("empty")
    write_database(directory)
    return directory / DATABASE


@pytest.fixture
def database(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / DATABASE))


def _log_file(run: TrackedRun, text: str) -> None:
    run.client.log_text(run.run_id, text, "note.txt")


def _read_file(run: TrackedRun, target: Path) -> str:
    target.mkdir(exist_ok=True)
    return Path(run.client.download_artifacts(run.run_id, "note.txt", str(target))).read_text()


@pytest.mark.parametrize("name", NAMES)
def test_run_directory_of_any_name_has_its_database_and_artefacts_in_it(
    name: str, empty: Path, tmp_path: Path
) -> None:
    out = tmp_path / "runs" / name
    out.mkdir(parents=True)
    shutil.copy(empty, out / DATABASE)
    with track_run(out, QUICK) as run:
        _log_file(run, name)
    assert _read_file(run, tmp_path / "back") == name
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [name]
    (written,) = out.rglob("note.txt")
    assert written.is_relative_to(out / "mlartifacts")
    with closing(sqlite3.connect(out / DATABASE)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    command = shlex.split(show_record(run.location))
    assert command[:3] == ["mlflow", "ui", "--backend-store-uri"]
    assert make_url(command[3]).database == str(out / DATABASE)


@pytest.mark.parametrize("name", ["run%20x", "what?x=1", "a#b"])
def test_trials_go_into_a_directory_of_any_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name / "trials.db"
    path.parent.mkdir()
    optuna.create_study(storage=sqlite_uri(path), study_name="x")
    assert path.stat().st_size
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _overwrite_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8_192:32_768] = b"\xff" * (32_768 - 8_192)
    path.write_bytes(data)


def _write_text(path: Path) -> None:
    path.write_text("id,name\n1,a text and no database, longer than the header of one\n")


def _make_other(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE moz_places (id INTEGER)")


def _make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_truncate, "the database is damaged"),
        (_overwrite_pages, "the database is damaged"),
        (_write_text, "the file isn't a SQLite database"),
        (_make_other, "it is another program's database, with a table moz_places"),
        (_make_directory, "it isn't a file"),
    ],
)
@pytest.mark.parametrize("is_named", [False, True])
def test_database_that_cant_be_used_is_refused_before_the_training(
    damage: Callable[[Path], None], reason: str, *, is_named: bool, database: Path
) -> None:
    damage(database)
    settings = QUICK.model_copy(update={"tracking_uri": f"sqlite:///{database}"})
    for ask in (check_store, lambda out, given: track_run(out, given).__enter__()):
        with pytest.raises(DatabaseRefusedError) as caught:
            ask(database.parent, settings if is_named else QUICK)
        assert reason in caught.value.problem
        assert str(database) in caught.value.problem
        assert caught.value.exit_code == 6
        assert "Choose another run directory" not in caught.value.hint or not is_named


def test_database_of_zero_bytes_is_made_anew(database: Path, empty: Path) -> None:
    database.write_bytes(b"")
    check_database(database, "Choose another")

    def connect(uri: str) -> MlflowClient:
        shutil.copy(empty, str(make_url(uri).database))
        return MlflowClient(tracking_uri=uri, registry_uri=uri)

    make_database(database, connect)
    check_database(database, "Choose another")
    assert database.stat().st_size


@pytest.fixture
def locked(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.05)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield database


def test_database_that_is_locked_is_reported(locked: Path) -> None:
    with pytest.raises(DatabaseRefusedError, match="another process is writing the database"):
        check_store(locked.parent, QUICK)


@pytest.mark.parametrize(
    ("version", "age"), [("451aebb31d03", "an older"), ("0123456789ab", "a newer")]
)
def test_database_of_another_version_of_mlflow_is_refused(
    version: str, age: str, database: Path
) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    with pytest.raises(SchemaVersionError, match=f"{age} version of MLflow than"):
        check_store(database.parent, QUICK)


def test_experiment_that_was_deleted_is_named_before_the_training(database: Path) -> None:
    with track_run(database.parent, QUICK) as run:
        pass
    run.client.delete_experiment(run.experiment_id)
    with pytest.raises(DeletedExperimentError, match="mlflow experiments restore"):
        check_store(database.parent, QUICK)


@pytest.mark.parametrize("change", [shutil.copytree, shutil.move])
def test_run_directory_that_was_copied_or_moved_keeps_artefacts_of_its_own(
    change: Callable[[Path, Path], object], empty: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "a%b", tmp_path / "other" / "copy"
    first.mkdir()
    second.parent.mkdir()
    shutil.copy(empty, first / DATABASE)
    with track_run(first, QUICK) as earlier:
        _log_file(earlier, "earlier")
    before = sorted(first.rglob("*"))
    change(first, second)
    with track_run(second, QUICK) as later:
        _log_file(later, "later")
        address = later.client.get_run(earlier.run_id).info.artifact_uri
        assert Path(unquote(urlsplit(address).path)).is_relative_to(second)
    assert len([*second.rglob("note.txt")]) == 2
    assert sorted(first.rglob("*")) == (before if change is shutil.copytree else [])
    if change is shutil.copytree:
        assert _read_file(earlier, tmp_path / "back") == "earlier"
