from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from features.runtime.errors import StorageError
from features.runtime.temporary import PREFIX
from serving.bundle.verified_files import read_verified
from tests.worlds.processes import Program
from tests.worlds.training import QUICK
from training.data.training_input import TrainingRecipe
from training.evaluation.evaluate import flatten_metrics
from training.evaluation.judge import MODEL
from training.fit.train import TrainOutput
from training.tracking.abandoned_runs import PROCESS_TAG, ProcessIdentity, end_abandoned_runs
from training.tracking.errors import RecordLostError, TrackingError
from training.tracking.mlflow_run import TrackedRun, track_run
from training.tracking.record import metrics_by_slice
from training.tracking.store import TrackingStore

# MLflow 3.17 declares its tables in a way that SQLAlchemy 2.1 calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")


class MadeUpError(Exception):
    """Stand for whatever may go wrong within a training."""


@pytest.fixture(autouse=True)
def _no_server_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def run_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def recorded(
    run_directory: Path, trained: TrainOutput, recipe: TrainingRecipe, bundle_directory: Path
) -> TrackedRun:
    """One training, recorded for real; a fresh database takes seconds, so it is shared."""
    with track_run(run_directory, QUICK) as run:
        run.record(trained, recipe, bundle_directory)
    return run


def _children(run: TrackedRun) -> dict[str, Any]:
    wanted = f"tags.mlflow.parentRunId = '{run.run_id}'"
    found = run.client.search_runs([run.experiment_id], wanted)
    return {child.data.params["target"]: child for child in found}


def test_tracking_records_what_a_training_rests_on(
    recorded: TrackedRun, trained: TrainOutput, bundle_directory: Path
) -> None:
    run = recorded.client.get_run(recorded.run_id)
    parameters = run.data.params
    assert run.info.status == "FINISHED"
    assert parameters["dataset_digest"] == trained.contents.data_digest
    assert parameters["bundle_id"] == bundle_directory.name
    assert parameters["imputed"] == "stock"
    assert parameters["training.trees"] == str(QUICK.trees)
    assert parameters["tuning.trials"] == "0"
    assert parameters["horizons.horizon_days"] == "14"
    fingerprint = trained.contents.models.catalogue.fingerprint
    assert parameters["catalogue_fingerprint"] == fingerprint
    assert run.data.metrics == pytest.approx(flatten_metrics(trained.evaluations))
    (dataset,) = run.inputs.dataset_inputs
    assert trained.contents.data_digest.startswith(dataset.dataset.digest)


def test_tracking_keeps_the_bundles_files_in_the_run_directory(
    recorded: TrackedRun, bundle_directory: Path, run_directory: Path, tmp_path: Path
) -> None:
    artefacts = recorded.client.get_run(recorded.run_id).info.artifact_uri
    assert artefacts.startswith((run_directory.resolve() / "mlartifacts").as_uri())
    name = f"bundles/{bundle_directory.name}"
    kept = recorded.client.download_artifacts(recorded.run_id, name, str(tmp_path))
    for path in bundle_directory.iterdir():
        assert (Path(kept) / path.name).read_bytes() == path.read_bytes()


def test_tracking_records_a_child_run_a_target(
    recorded: TrackedRun, trained: TrainOutput, tmp_path: Path
) -> None:
    children = _children(recorded)
    assert set(children) == set(trained.evaluations)
    for target, evaluation in trained.evaluations.items():
        child = children[target]
        assert child.info.status == "FINISHED"
        assert child.data.metrics == pytest.approx(metrics_by_slice(evaluation))
        (tmp_path / target).mkdir()
        path = recorded.client.download_artifacts(
            child.info.run_id, "evaluation.json", str(tmp_path / target)
        )
        written = json.loads(Path(path).read_text())
        assert written["overall"][MODEL] == asdict(evaluation.overall[MODEL])


def test_tracking_without_a_server_says_where_the_database_is(
    recorded: TrackedRun, run_directory: Path
) -> None:
    assert recorded.location == f"sqlite:///{run_directory.resolve()}/mlflow.db"
    assert (run_directory / "mlflow.db").is_file()


def test_tracking_a_training_that_fails_ends_the_run_as_failed(
    recorded: TrackedRun, run_directory: Path
) -> None:
    with pytest.raises(MadeUpError), track_run(run_directory, QUICK) as run:
        raise MadeUpError
    assert run.experiment_id == recorded.experiment_id
    assert recorded.client.get_run(run.run_id).info.status == "FAILED"


def _record_without_room(
    run: TrackedRun, room: Path, trained: TrainOutput, recipe: TrainingRecipe
) -> None:
    """Record while a file stands where the artefacts should go."""
    emptied = room.rename(room.with_name("elsewhere"))
    room.write_text("a file")
    try:
        run.record(trained, recipe, emptied)
    finally:
        room.unlink()
        emptied.rename(room)


def test_tracking_a_record_that_the_disk_refuses_ends_the_run_as_failed(
    recorded: TrackedRun, trained: TrainOutput, recipe: TrainingRecipe, run_directory: Path
) -> None:
    room = run_directory / "mlartifacts"
    with (
        pytest.raises(RecordLostError, match="Then run the same command again"),
        track_run(run_directory, QUICK) as run,
    ):
        _record_without_room(run, room, trained, recipe)
    assert recorded.client.get_run(run.run_id).info.status == "FAILED"


def test_tracking_store_that_dies_during_the_training_leaves_the_bundle(
    recorded: TrackedRun,
    trained: TrainOutput,
    recipe: TrainingRecipe,
    bundle_directory: Path,
    tmp_path: Path,
) -> None:
    assert recorded.store.database is not None
    database = Path(shutil.copy(recorded.store.database, tmp_path))

    def lose_database() -> None:
        with track_run(tmp_path, QUICK) as run:
            database.write_bytes(b"overwritten " * 100)
            run.record(trained, recipe, bundle_directory)

    with pytest.raises(RecordLostError) as caught:
        lose_database()
    assert f"The bundle {bundle_directory} is written, but not in use" in caught.value.problem
    assert "the file isn't a SQLite database" in caught.value.problem
    read_verified(bundle_directory)


def test_tracking_in_a_place_that_is_a_file_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.write_text("not a directory")
    with pytest.raises(StorageError, match="is a file, not a directory"), track_run(place, QUICK):
        pass


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("named_in", ["settings", "environment"])
def test_tracking_server_that_is_down_is_reported_without_its_password(
    named_in: str, recorded: TrackedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"http://someone:secret@127.0.0.1:{_closed_port()}"
    settings = QUICK
    if named_in == "settings":
        settings = QUICK.model_copy(update={"tracking_uri": uri})
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(TrackingError) as caught, track_run(tmp_path, settings):
        pass
    assert "secret" not in str(caught.value)
    assert "The training can't be recorded at http://127.0.0.1:" in str(caught.value)
    assert str(caught.value).endswith(
        "Start the tracking server, or unset MLFLOW_TRACKING_URI and tracking_uri to record in "
        "the run directory."
    )
    assert not (tmp_path / "mlflow.db").exists()
    assert recorded.client is not None


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("sqlite:////runs/mlflow.db", "sqlite:////runs/mlflow.db"),
        ("https://me:secret@host:8080/ml", "https://host:8080/ml/#/experiments/7/runs/abc"),
        ("http://host:5000", "http://host:5000/#/experiments/7/runs/abc"),
        ("postgresql://me:secret@host/db", "postgresql://host/db"),
    ],
)
def test_tracked_run_location_leads_a_person_there_without_a_password(
    uri: str, location: str
) -> None:
    assert TrackedRun(None, "7", "abc", TrackingStore(uri, None)).location == location


def test_tracking_is_imported_without_mlflow() -> None:
    code = "import sys, training.tracking.mlflow_run; sys.exit('mlflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})


OPEN_TWO_RUNS = """
import sys
import time
from pathlib import Path
from training.settings import TrainingSettings
from training.tracking.mlflow_run import track_run

settings = TrainingSettings(experiment="another")
with track_run(Path(sys.argv[1]), settings) as run, run._open_child_run("sell through") as child:
    print(run.run_id, child, flush=True)
    time.sleep(100)
"""


def _status(run: TrackedRun, run_id: str) -> str:
    return str(run.client.get_run(run_id).info.status)


def test_tracking_ends_the_open_runs_of_a_killed_process_when_the_next_begins(
    recorded: TrackedRun, run_directory: Path
) -> None:
    with Program(OPEN_TWO_RUNS, run_directory) as other:
        theirs = other.read_line().split()
        with track_run(run_directory, QUICK):
            assert [_status(recorded, one) for one in theirs] == ["RUNNING"] * 2
        other.kill()
    assert [_status(recorded, one) for one in theirs] == ["RUNNING"] * 2
    with track_run(run_directory, QUICK) as ours:
        assert [_status(recorded, one) for one in theirs] == ["KILLED"] * 2
        assert _status(recorded, ours.run_id) == "RUNNING"
    assert _status(recorded, recorded.run_id) == "FINISHED"


GONE = replace(ProcessIdentity.current(), pid=2**22 + 1)


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ({PROCESS_TAG: GONE.to_text()}, "KILLED"),
        ({PROCESS_TAG: replace(GONE, host="elsewhere").to_text()}, "RUNNING"),
        ({PROCESS_TAG: ProcessIdentity.current().to_text()}, "RUNNING"),
        ({PROCESS_TAG: "{somebody else's}"}, "RUNNING"),
        ({}, "RUNNING"),
    ],
)
def test_tracking_ends_only_runs_of_ours_whose_process_is_surely_gone(
    recorded: TrackedRun, run_directory: Path, tags: dict[str, str], status: str
) -> None:
    left = recorded.client.create_run(recorded.experiment_id, tags=tags).info.run_id
    with track_run(run_directory, QUICK):
        assert _status(recorded, left) == status
    recorded.client.set_terminated(left, "FAILED")


def test_tracking_finds_abandoned_runs_on_every_page(recorded: TrackedRun) -> None:
    tags = {PROCESS_TAG: GONE.to_text()}
    left = [recorded.client.create_run(recorded.experiment_id, tags=tags) for _ in range(5)]

    class InPagesOfTwo:
        """The real client, asked for two at a time."""

        def __getattr__(self, name: str) -> Callable[..., Any]:
            asked: Callable[..., Any] = getattr(recorded.client, name)
            return partial(asked, max_results=2) if name.startswith("search") else asked

    end_abandoned_runs(InPagesOfTwo(), ProcessIdentity.current())
    assert [_status(recorded, one.info.run_id) for one in left] == ["KILLED"] * 5


def test_tracking_database_killed_in_its_making_is_made_by_the_next(tmp_path: Path) -> None:
    def grown() -> bool:
        built = tmp_path.glob(f"{PREFIX}*/mlflow.db")
        return any(path.stat().st_size > 100_000 for path in built)

    with Program(OPEN_TWO_RUNS, tmp_path) as child:
        child.wait_until(grown)
        child.kill()
    assert not (tmp_path / "mlflow.db").exists()
    with track_run(tmp_path, QUICK) as run:
        assert not list(tmp_path.glob(f"{PREFIX}*"))
        assert _status(run, run.run_id) == "RUNNING"
