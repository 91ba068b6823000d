"""Run a training from source tables to a published bundle, and resume one that was killed."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from features.catalogue.catalogue import CATALOGUE
from features.dataset.covered_days import CoveredDays
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.point_in_time.training_rows import DIGEST, FINGERPRINT, ORDER_DAYS
from features.runtime.pointer import publish
from features.runtime.progress import ProgressCallback, prefix_progress
from features.runtime.refusals import raise_storage_errors
from features.runtime.signature import PrivateKey, read_private_key
from features.validation.report import ValidationReport
from serving.bundle.bundle import write_bundle
from serving.bundle.checks import sign_bundle
from serving.bundle.manifest import canonical_json, sha256_hex
from training.backtest.key import backtest_key
from training.backtest.result import Backtest, read_result
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
from training.tracking.mlflow_run import check_store, track_run

BUNDLES: Final = "bundles"


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """The source tables, the run directory and the settings of a training."""

    source: Path
    out: Path
    horizons: Horizons
    settings: TrainingSettings
    cluster: Callable[[Path], Fitter] | None = None
    """Makes a cluster's fitter from a file of training rows; None fits on this machine."""
    tuning: TuningBudget | None = None
    signing_key: Path | None = None
    """PEM file of a private key, which signs what is published."""

    def read_signing_key(self) -> PrivateKey | None:
        """Return the key to sign with, None if nothing is signed.

        Raises:
            KeyRefusedError: it can't be used.
        """
        return None if self.signing_key is None else read_private_key(self.signing_key)


@dataclass(frozen=True, kw_only=True)
class TuningBudget:
    """The number of trials of a search for better settings, and its time limit."""

    trials: int
    timeout_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """The evaluations of a training, and where its bundle and its record are."""

    job: TrainingJob
    report: ValidationReport
    row_count: int
    cut_off_day: int
    covered: CoveredDays
    """The days that orders cover; orders outside can't move the cut-off."""
    imputed: tuple[str, ...]
    evaluations: Mapping[Target, Evaluation]
    bundle_id: str
    run_id: str
    location: str
    """Address of the run in MLflow, for a person."""
    reused: tuple[str, ...]
    """Names of the stages that an earlier process finished."""
    backtest: Backtest | None
    """The latest backtest in the run directory, if it is of the same rows, settings and code."""


def run_training(job: TrainingJob, progress: ProgressCallback) -> TrainingResult:
    """Check tables, compute features, train, evaluate, record, and publish the bundle.

    Raises:
        XuanpinError: the data are broken or can't support a model, another process is training in
            the run directory, or the disk can't be written. A bundle that an earlier run published
            stays in use.
    """
    key = job.read_signing_key()
    with run_lock(job.out):
        prepare_outputs(job.out, directories=(BUNDLES,))
        check_store(job.out, job.settings)
        checkpoints = open_checkpoints(job, progress)
        prepared = prepare_rows(job.source, job.horizons, checkpoints, progress)
        result = train_and_record(job, prepared, checkpoints, progress)
        if key is not None:
            sign_bundle(job.out / BUNDLES / result.bundle_id, key)
        publish(job.out / BUNDLES, result.bundle_id)
    return result


def prepare_outputs(out: Path, *, directories: Sequence[str], files: Sequence[str] = ()) -> None:
    """Make the directories of the artefacts, so that what can't be written is said at once.

    Raises:
        StorageError: a directory can't be made or written, or a directory has a file's name.
    """
    with raise_storage_errors():
        for path in (out / name for name in directories):
            if path.is_file():
                raise NotADirectoryError(errno.ENOTDIR, "", str(path))
            path.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=path).close()
        for path in (out / name for name in files):
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "", str(path))


def open_checkpoints(job: TrainingJob, progress: ProgressCallback) -> Checkpoints:
    """Open the finished stages of the job's run directory."""
    return Checkpoints(job.out, code_version(), progress)


def train_and_record(
    job: TrainingJob, prepared: PreparedRows, checkpoints: Checkpoints, progress: ProgressCallback
) -> TrainingResult:
    """Train on prepared rows, write the bundle and record it, without publishing it.

    Raises:
        TrainingError: the rows can't support a model.
        StorageError: the disk or the tracking store can't be written.
    """
    boosters = BoosterCheckpoints(checkpoints)
    progress("train: open the MLflow run")
    with track_run(job.out, job.settings) as tracked:
        trained = train(
            prepared.read_rows(),
            TrainingRecipe(job.horizons, CATALOGUE, job.settings),
            git_commit=git_commit(),
            progress=prefix_progress("train", progress),
            fit=_choose_fitter(job, boosters),
            tune=None if job.tuning is None else _build_tuner(job, job.tuning, prepared, progress),
        )
        if boosters.reused:
            progress(f"train: {len(boosters.reused)} boosters reused")
        progress("publish: write the bundle")
        bundle_id = write_bundle(trained.contents, job.out / BUNDLES)
        progress("publish: record in MLflow")
        tracked.record(trained, trained.training_input.recipe, job.out / BUNDLES / bundle_id)
    return TrainingResult(
        job=job,
        report=prepared.report,
        row_count=prepared.row_count,
        cut_off_day=prepared.cut_off_day,
        covered=msgspec.json.decode(prepared.metadata[ORDER_DAYS], type=CoveredDays),
        imputed=trained.contents.imputed,
        evaluations=trained.evaluations,
        bundle_id=bundle_id,
        run_id=tracked.run_id,
        location=tracked.location,
        reused=(*prepared.reused, *sorted(boosters.reused)),
        backtest=read_result(
            job.out, backtest_key(prepared.metadata, trained.training_input.recipe)
        ),
    )


def _choose_fitter(job: TrainingJob, boosters: BoosterCheckpoints) -> Fitter:
    """Return the cluster's fitter, or this machine's, which keeps each booster that it finishes."""
    if job.cluster is None:
        return partial(fit_locally, fitter=boosters)
    return job.cluster(job.out / TRAINING_ROWS)


def _build_tuner(
    job: TrainingJob, tuning: TuningBudget, prepared: PreparedRows, progress: ProgressCallback
) -> Tuner:
    """Return a search that shares trials only with the same rows, settings and program."""
    from training.tuning.search import Search  # noqa: PLC0415 - takes a second, and few trainings tune

    facts = {
        "rows": [prepared.metadata[name].decode() for name in (DIGEST, FINGERPRINT)],
        "horizons": job.horizons.model_dump(),
        "settings": job.settings.model_dump(exclude={"threads", "tracking_uri", "experiment"}),
        "program": code_version(),
    }
    return Search(
        trials=tuning.trials,
        timeout_seconds=tuning.timeout_seconds,
        database=job.out / STAGES / f"tuning-{version('optuna')}.db",
        study=sha256_hex(canonical_json(facts)),
        progress=prefix_progress("train", progress),
    ).recipe
