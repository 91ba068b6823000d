"""Record trainings in MLflow (no other file imports it).

A training is a parent run with one child run for each target. Without a tracking server, the record
is in the run directory: the database `mlflow.db` and the folder `mlartifacts`.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from features.runtime.atomic import write_atomically
from features.runtime.errors import StorageError
from features.runtime.refusals import raise_storage_errors
from training.data.training_input import TrainingRecipe
from training.evaluation.evaluate import flatten_metrics
from training.fit.train import TrainOutput
from training.settings import TrainingSettings
from training.tracking.abandoned_runs import PROCESS_TAG, ProcessIdentity, end_abandoned_runs
from training.tracking.record import flatten_settings, metrics_by_slice, training_facts


def make_database(path: Path, connect: Callable[[str], Any]) -> None:
    """Make an empty tracking database at `path`, completely or not at all, unless it exists.

    `connect` returns MLflow's client for a URI.

    Raises:
        StorageError: the disk can't be written.
    """
    if path.exists():
        return
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tracking-") as work:
        built = Path(work) / path.name
        connect(f"sqlite:///{built}").search_experiments(max_results=1)
        # MLflow keeps its connection open; a backup is consistent anyway.
        with (
            write_atomically(path) as new,
            closing(sqlite3.connect(built)) as source,
            closing(sqlite3.connect(new)) as target,
        ):
            source.backup(target)


DATABASE: Final = "mlflow.db"
ARTEFACTS: Final = "mlartifacts"

_ENVIRONMENT: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # Report a server that is down within seconds: MLflow would try seven times.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""Variables that MLflow reads at import; a user's own values stay."""

_MAX_REASON: Final = 200

_DIGEST_LENGTH: Final = 36
"""Characters of a data set's digest that MLflow can store."""


class TrackingError(StorageError):
    """Report a tracking store that doesn't answer, or rejects a request."""

    def __init__(self, uri: str, error: Exception) -> None:
        login, at, _ = urlsplit(uri).netloc.rpartition("@")
        reason = str(error).replace(login + at, "").partition("\n")[0][:_MAX_REASON].rstrip(".")
        super().__init__(
            problem=f"The training can't be recorded at {_strip_password(uri)}: {reason}.",
            hint="Start the tracking server, or unset MLFLOW_TRACKING_URI and tracking_uri to "
            "record in the run directory.",
        )


@dataclass(frozen=True)
class TrackedRun:
    """An open run in MLflow."""

    client: Any
    experiment_id: str
    run_id: str
    tracking_uri: str

    @property
    def location(self) -> str:
        """Return the address of the run for a person, without a password."""
        shown = _strip_password(self.tracking_uri)
        if urlsplit(self.tracking_uri).scheme in {"http", "https"}:
            return f"{shown}/#/experiments/{self.experiment_id}/runs/{self.run_id}"
        return shown

    def record(self, trained: TrainOutput, recipe: TrainingRecipe, bundle: Path) -> None:
        """Log settings, facts and metrics of a training, and store its bundle.

        Raises:
            StorageError: the tracking store or the disk can't be written.
        """
        facts = training_facts(trained.contents, bundle.name)
        with _translate_errors(self.tracking_uri):
            self._log(
                self.run_id, flatten_settings(recipe) | facts, flatten_metrics(trained.evaluations)
            )
            self._log_dataset(trained.contents.data_digest)
            self.client.log_artifacts(self.run_id, str(bundle), "bundle")
        for target, evaluation in trained.evaluations.items():
            with (
                self._open_child_run(target.replace("_", " ")) as child,
                _translate_errors(self.tracking_uri),
            ):
                self._log(child, facts | {"target": target}, metrics_by_slice(evaluation))
                self.client.log_dict(child, evaluation.as_json(), "evaluation.json")

    def _open_child_run(self, name: str) -> AbstractContextManager[str]:
        tags = {"mlflow.parentRunId": self.run_id}
        return _open_run(self.client, self.experiment_id, name, tags)

    def _log(
        self, run_id: str, parameters: Mapping[str, object], metrics: Mapping[str, float]
    ) -> None:
        from mlflow.entities import Metric, Param  # noqa: PLC0415 - see _connect

        now = time.time_ns() // 1_000_000
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
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


@contextmanager
def track_run(directory: Path, settings: TrainingSettings) -> Iterator[TrackedRun]:
    """Open a parent run that ends as FINISHED, or as FAILED if the block raises an error.

    Open runs of killed trainings in the same store end as KILLED (abandoned_runs.py). The record is
    in the run directory `directory`, unless the settings or MLFLOW_TRACKING_URI name a server.

    Raises:
        TrackingError: the tracking store doesn't answer.
        StorageError: the directory can't be written.
    """
    server = settings.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
    artefacts = (directory / ARTEFACTS).resolve()
    if not server:
        with raise_storage_errors():
            artefacts.mkdir(parents=True, exist_ok=True)
    database = directory.resolve() / DATABASE
    uri = server or f"sqlite:///{database}"
    with _translate_errors(uri):
        if not server:
            make_database(database, _connect)
        client = _connect(uri)
        end_abandoned_runs(client, ProcessIdentity.current())
        location = None if server else artefacts.as_uri()
        experiment_id = _get_or_create_experiment(client, settings.experiment, location)
        with _open_run(client, experiment_id, "training", {}) as run_id:
            yield TrackedRun(client, experiment_id, run_id, uri)


def _connect(uri: str) -> Any:  # noqa: ANN401 - MLflow ships no types
    """Set MLflow's environment, import it, and open the store."""
    _set_environment()
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds and reads the environment

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _set_environment() -> None:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def _get_or_create_experiment(client: Any, name: str, artefacts: str | None) -> str:  # noqa: ANN401 - likewise
    experiment = client.get_experiment_by_name(name)
    if experiment is not None:
        return str(experiment.experiment_id)
    return str(client.create_experiment(name, artifact_location=artefacts))


@contextmanager
def _open_run(
    client: Any,  # noqa: ANN401 - MLflow ships no types
    experiment_id: str,
    name: str,
    tags: Mapping[str, str],
) -> Iterator[str]:
    """Open a run, and end it with the block, even if the block raises an error."""
    process = {PROCESS_TAG: ProcessIdentity.current().to_text()}
    tags = {"mlflow.source.name": "xuanpin", **process, **tags}
    run_id = client.create_run(experiment_id, tags=tags, run_name=name).info.run_id
    status = "FAILED"
    try:
        yield run_id
        status = "FINISHED"
    finally:
        client.set_terminated(run_id, status)


@contextmanager
def _translate_errors(uri: str) -> Iterator[None]:
    """Raise errors of MLflow and of the disk as a StorageError."""
    _set_environment()
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - see _connect

    try:
        with raise_storage_errors():
            yield
    except MlflowException as error:
        raise TrackingError(uri, error) from None  # its text may hold the URI's password


def _strip_password(uri: str) -> str:
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
