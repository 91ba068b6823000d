"""Record trainings in MLflow (no other file imports it).

A training is a parent run with one child run for each target. Without a tracking server, the record
is in the run directory: the database `mlflow.db` and the folder `mlartifacts`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from features.runtime.atomic import write_atomically
from features.runtime.errors import StorageError
from features.runtime.refusals import raise_storage_errors
from features.runtime.temporary import temporary_directory
from training.checkpoints.sqlite_uri import sqlite_uri
from training.data.training_input import TrainingRecipe
from training.evaluation.evaluate import flatten_metrics
from training.fit.train import TrainOutput
from training.settings import TrainingSettings
from training.tracking.abandoned_runs import PROCESS_TAG, ProcessIdentity, end_abandoned_runs
from training.tracking.address import HIDDEN, is_http, show_uri
from training.tracking.errors import (
    DeletedExperimentError,
    NotMlflowError,
    RecordLostError,
    explain,
)
from training.tracking.record import flatten_settings, metrics_by_slice, training_facts
from training.tracking.store import (
    TrackingStore,
    move_artefacts,
)

_ENVIRONMENT: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # Report a server that is down within seconds: MLflow would try seven times.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""Variables that MLflow reads at import; a user's own values stay."""

_DIGEST_LENGTH: Final = 36
"""Characters of a data set's digest that MLflow can store."""


@dataclass(frozen=True)
class TrackedRun:
    """An open run in MLflow."""

    client: Any
    experiment_id: str
    run_id: str
    store: TrackingStore

    @property
    def location(self) -> str:
        """Return the address of the run for a person, without a password."""
        shown = show_uri(self.store.uri)
        if is_http(self.store.uri) and shown != HIDDEN:
            return f"{shown}/#/experiments/{self.experiment_id}/runs/{self.run_id}"
        return shown

    def record(self, trained: TrainOutput, recipe: TrainingRecipe, bundle: Path) -> None:
        """Log settings, facts and metrics of a training, and store its bundle.

        Raises:
            RecordLostError: the tracking store or the disk can't be written; the bundle stays.
        """
        try:
            self._record(trained, recipe, bundle)
        except StorageError as error:
            raise RecordLostError(bundle, error) from None

    def _record(self, trained: TrainOutput, recipe: TrainingRecipe, bundle: Path) -> None:
        facts = training_facts(trained.contents, bundle.name)
        with _translate_errors(self.store):
            self._log(
                self.run_id, flatten_settings(recipe) | facts, flatten_metrics(trained.evaluations)
            )
            self._log_dataset(trained.contents.data_digest)
        self._log_bundle(bundle)
        for target, evaluation in trained.evaluations.items():
            with (
                self._open_child_run(target.replace("_", " ")) as child,
                _translate_errors(self.store),
            ):
                self._log(child, facts | {"target": target}, metrics_by_slice(evaluation))
                self.client.log_dict(child, evaluation.as_json(), "evaluation.json")

    def record_steps(
        self,
        parameters: Mapping[str, object],
        steps: Sequence[Mapping[str, float]],
        files: Sequence[Path],
    ) -> None:
        """Log parameters, the metrics of steps in their order, and files.

        Raises:
            StorageError: the tracking store or the disk can't be written.
        """
        with _translate_errors(self.store):
            self._log(self.run_id, parameters, {})
            for step, metrics in enumerate(steps):
                self._log(self.run_id, {}, metrics, step)
        for file in files:
            self._store_files(partial(self.client.log_artifact, self.run_id, str(file)))

    def _log_bundle(self, bundle: Path) -> None:
        """Store a bundle's files under its id, which loading checks a directory's name against."""
        place = f"bundles/{bundle.name}"
        self._store_files(partial(self.client.log_artifacts, self.run_id, str(bundle), place))

    def _store_files(self, store: Callable[[], object]) -> None:
        try:
            with _translate_errors(self.store):
                store()
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - artefact stores are plugins with own errors
            raise explain(self.store.uri, error) from None

    def _open_child_run(self, name: str) -> AbstractContextManager[str]:
        tags = {"mlflow.parentRunId": self.run_id}
        return _open_run(self.client, self.store, self.experiment_id, name, tags)

    def _log(
        self,
        run_id: str,
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        step: int = 0,
    ) -> None:
        from mlflow.entities import Metric, Param  # noqa: PLC0415 - see _connect

        now = time.time_ns() // 1_000_000
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, step) for name, value in metrics.items()],
            params=[Param(name, str(value)) for name, value in parameters.items()],
        )

    def _log_dataset(self, digest: str) -> None:
        from mlflow.entities import Dataset, DatasetInput  # noqa: PLC0415 - see _connect

        dataset = Dataset(
            name="validated data set",
            digest=digest[:_DIGEST_LENGTH],
            source_type="local",
            source="{}",
        )
        self.client.log_inputs(self.run_id, datasets=[DatasetInput(dataset)])


def make_database(path: Path, connect: Callable[[str], Any]) -> None:
    """Make an empty tracking database at `path`, completely or not at all, unless it exists.

    A file of zero bytes, which a full disk may leave, counts as none.

    `connect` returns MLflow's client for a URI.

    Raises:
        StorageError: the disk can't be written.
    """
    if path.exists() and path.stat().st_size:
        return
    with temporary_directory(path.parent) as work:
        built = work / path.name
        connect(sqlite_uri(built)).search_experiments(max_results=1)
        # MLflow keeps its connection open; a backup is consistent anyway.
        with (
            write_atomically(path) as new,
            closing(sqlite3.connect(built)) as source,
            closing(sqlite3.connect(new)) as target,
        ):
            source.backup(target)


@contextmanager
def track_run(
    directory: Path, settings: TrainingSettings, *, name: str = "training"
) -> Iterator[TrackedRun]:
    """Open a run that ends as FINISHED, or as FAILED if the block raises an error.

    Open runs of killed trainings in the same store end as KILLED (abandoned_runs.py). The record is
    in the run directory `directory`, unless the settings or MLFLOW_TRACKING_URI name a server.

    Raises:
        TrackingError: the tracking store doesn't answer.
        StorageError: the directory can't be written.
    """
    store = TrackingStore.find(directory, settings)
    with _translate_errors(store):
        client = _open_store(store)
        end_abandoned_runs(client, ProcessIdentity.current())
        experiment_id = _get_or_create_experiment(client, store, settings.experiment)
    with _open_run(client, store, experiment_id, name, {}) as run_id:
        yield TrackedRun(client, experiment_id, run_id, store)


def check_store(directory: Path, settings: TrainingSettings) -> None:
    """Ask the tracking store for the experiment, before hours of work depend on its answer.

    A run directory without a database has nothing to ask.

    Raises:
        TrackingError: the tracking store doesn't answer, or can't be used.
    """
    store = TrackingStore.find(directory, settings)
    if store.artefacts is not None and store.database is not None and not store.database.exists():
        return
    with _translate_errors(store):
        _find_experiment(_open_store(store), store, settings.experiment)


def _open_store(store: TrackingStore) -> Any:  # noqa: ANN401 - MLflow ships no types
    """Return MLflow's client for a store, whose SQLite file is checked first."""
    store.check_database()
    if store.database is not None and store.artefacts is not None:
        store.artefacts.mkdir(parents=True, exist_ok=True)
        make_database(store.database, _connect)
        move_artefacts(store.database, store.artefacts)
    return _connect(store.uri)


def _connect(uri: str) -> Any:  # noqa: ANN401 - MLflow ships no types
    """Set MLflow's environment, import it, and open the store."""
    _set_environment()
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds and reads the environment

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _set_environment() -> None:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def _find_experiment(client: Any, store: TrackingStore, name: str) -> str | None:  # noqa: ANN401 - likewise
    """Return the id of an experiment, None if the store doesn't have it yet.

    Raises:
        DeletedExperimentError: it was deleted.
        NotMlflowError: what answers isn't MLflow.
    """
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return None
    if experiment.name != name:  # any JSON reads as an experiment without a name
        raise NotMlflowError(store.uri)
    if experiment.lifecycle_stage == "deleted":
        raise DeletedExperimentError(store.uri, name, str(experiment.experiment_id))
    return str(experiment.experiment_id)


def _get_or_create_experiment(client: Any, store: TrackingStore, name: str) -> str:  # noqa: ANN401 - likewise
    found = _find_experiment(client, store, name)
    if found is not None:
        return found
    location = None if store.artefacts is None else store.artefacts.as_uri()
    return str(client.create_experiment(name, artifact_location=location))


@contextmanager
def _open_run(
    client: Any,  # noqa: ANN401 - MLflow ships no types
    store: TrackingStore,
    experiment_id: str,
    name: str,
    tags: Mapping[str, str],
) -> Iterator[str]:
    """Open a run, and end it with the block, even if the block raises an error.

    The block's error is the one that is raised, even if the store has died since.
    """
    process = {PROCESS_TAG: ProcessIdentity.current().to_text()}
    tags = {"mlflow.source.name": "xuanpin", **process, **tags}
    with _translate_errors(store):
        run_id = client.create_run(experiment_id, tags=tags, run_name=name).info.run_id
    try:
        yield run_id
    except BaseException:
        with suppress(StorageError), _translate_errors(store):
            client.set_terminated(run_id, "FAILED")
        raise
    with _translate_errors(store):
        client.set_terminated(run_id, "FINISHED")


@contextmanager
def _translate_errors(store: TrackingStore) -> Iterator[None]:
    """Raise errors of MLflow, of its database and of the disk as a StorageError."""
    _set_environment()
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - see _connect

    try:
        with raise_storage_errors():
            yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, ModuleNotFoundError) as error:
        store.check_database()
        raise explain(store.uri, error) from None  # its text may hold the URI's password
