"""A training from source tables to a published bundle, which goes on where another was killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from features.catalogue.catalogue import CATALOGUE
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.point_in_time.training_rows import DIGEST, FINGERPRINT
from features.runtime.pointer import publish
from features.runtime.progress import ProgressCallback, prefix_progress
from features.validation.report import ValidationReport
from serving.bundle.bundle import write_bundle
from serving.bundle.manifest import canonical_json, sha256_hex
from training.boosting.booster_checkpoints import BoosterCheckpoints
from training.checkpoints.checkpoints import STAGES, Checkpoints
from training.checkpoints.code_version import code_version, git_commit
from training.checkpoints.run_lock import run_lock
from training.data.prepare_rows import TRAINING_ROWS, PreparedRows, prepare_rows
from training.data.training_input import Fitter, TrainingRecipe
from training.evaluation.evaluate import Evaluation
from training.fit.fit_targets import fit_locally
from training.fit.train import Tuner, train
from training.settings import TrainingSettings
from training.tracking.mlflow_run import track_run

BUNDLES: Final = "bundles"


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What to train on and where to, the lengths of time, and how to train."""

    source: Path
    out: Path
    horizons: Horizons
    settings: TrainingSettings
    cluster: Callable[[Path], Fitter] | None = None
    """Makes the fitter of a cluster that reads training rows from a file; None fits here."""
    tuning: TuningBudget | None = None


@dataclass(frozen=True, kw_only=True)
class TuningBudget:
    """How long to search for better settings."""

    trials: int
    timeout_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """What a training learned, how good it is, and where it is."""

    job: TrainingJob
    report: ValidationReport
    row_count: int
    imputed: tuple[str, ...]
    evaluations: Mapping[Target, Evaluation]
    bundle_id: str
    run_id: str
    location: str
    """Where a person finds the run in MLflow."""
    reused: tuple[str, ...]
    """Names of the stages that an earlier process had finished."""


def run_training(job: TrainingJob, tell: ProgressCallback) -> TrainingResult:
    """Check, compute features, train, evaluate, record, and put the bundle in use.

    Raises:
        XuanpinError: the data are broken or can't support a model, another process is at work in
            the run directory, or the disk refuses; what an earlier run published stays in use.
    """
    with run_lock(job.out):
        checkpoints = open_checkpoints(job, tell)
        prepared = prepare_rows(job.source, job.horizons, checkpoints, tell)
        result = train_and_record(job, prepared, checkpoints, tell)
        publish(job.out / BUNDLES, result.bundle_id)
    return result


def open_checkpoints(job: TrainingJob, tell: ProgressCallback) -> Checkpoints:
    """Return the finished stages of the job's run directory."""
    return Checkpoints(job.out, code_version(), tell)


def train_and_record(
    job: TrainingJob, prepared: PreparedRows, checkpoints: Checkpoints, tell: ProgressCallback
) -> TrainingResult:
    """Train on known rows, write the bundle and record it; nobody uses it yet.

    Raises:
        TrainingError: the rows can't support a model.
        StorageError: the disk or the tracking store refuses.
    """
    recipe = TrainingRecipe(job.horizons, CATALOGUE, job.settings)
    kept = BoosterCheckpoints(checkpoints)
    here = partial(fit_locally, fitter=kept)
    tell("train: open the experiment record")
    with track_run(job.out, job.settings) as tracked:
        trained = train(
            prepared.rows,
            recipe,
            git_commit=git_commit(),
            progress=prefix_progress("train", tell),
            fit=here if job.cluster is None else job.cluster(job.out / TRAINING_ROWS),
            tune=None if job.tuning is None else _build_tuner(job, job.tuning, prepared, tell),
        )
        if kept.reused:
            tell(f"train: {len(kept.reused)} of the boosters as before")
        tell("publish: write the bundle")
        bundle_id = write_bundle(trained.contents, job.out / BUNDLES)
        tell("publish: record in MLflow")
        tracked.record(trained, trained.training_input.recipe, job.out / BUNDLES / bundle_id)
    return TrainingResult(
        job=job,
        report=prepared.report,
        row_count=prepared.rows.num_rows,
        imputed=trained.contents.imputed,
        evaluations=trained.evaluations,
        bundle_id=bundle_id,
        run_id=tracked.run_id,
        location=tracked.location,
        reused=(*prepared.reused, *sorted(kept.reused)),
    )


def _build_tuner(
    job: TrainingJob, tuning: TuningBudget, prepared: PreparedRows, tell: ProgressCallback
) -> Tuner:
    """Return a search whose trials are those of the same rows, settings and program alone."""
    from training.tuning.search import Search  # noqa: PLC0415 - a second to import, and few tune

    metadata = prepared.rows.schema.metadata
    facts = {
        "rows": [metadata[name].decode() for name in (DIGEST, FINGERPRINT)],
        "horizons": job.horizons.model_dump(),
        "settings": job.settings.model_dump(exclude={"threads", "tracking_uri", "experiment"}),
        "program": code_version(),
    }
    return Search(
        trials=tuning.trials,
        timeout_seconds=tuning.timeout_seconds,
        database=job.out / STAGES / f"tuning-{version('optuna')}.db",
        study=sha256_hex(canonical_json(facts)),
        tell=prefix_progress("train", tell),
    ).recipe
