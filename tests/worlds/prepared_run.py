"""A run directory as a training leaves it before it fits: tables checked, rows computed."""

from __future__ import annotations

from pathlib import Path

from features.dataset.horizons import Horizons
from features.runtime.progress import ignore_progress
from training.data.prepare_rows import prepare_rows
from training.pipeline.job import TrainingJob, open_checkpoints
from training.settings import TrainingSettings
from training.tracking.mlflow_run import make_database
from training.tracking.store import DATABASE


def write_prepared_run(source: Path, out: Path) -> None:
    """Check the tables, compute the training rows, and make an empty tracking database."""
    job = TrainingJob(source=source, out=out, horizons=Horizons(), settings=TrainingSettings())
    prepare_rows(source, job.horizons, open_checkpoints(job, ignore_progress), ignore_progress)
    write_database(out)


def write_database(out: Path) -> None:
    """Make an empty tracking database, which takes MLflow longer than a small training."""
    from mlflow import MlflowClient

    def connect(uri: str) -> MlflowClient:
        return MlflowClient(tracking_uri=uri, registry_uri=uri)

    make_database(out / DATABASE, connect)
