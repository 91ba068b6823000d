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
from features.validation.report import Report
from serving.bundle.bundle import write_bundle
from serving.bundle.manifest import canonical_json, sha256_of
from training.boosting.booster_checkpoints import KeptBoosters
from training.checkpoints.checkpoints import STAGES, Checkpoints
from training.checkpoints.code_version import git_commit, program_facts
from training.checkpoints.run_lock import sole_use
from training.data.prepare_rows import TRAINING_ROWS, KnownRows, Tell, known_rows
from training.data.training_input import Fitter, Recipe
from training.evaluation.evaluate import Evaluation
from training.fit.fit_targets import fit_here
from training.fit.train import Tuner, train
from training.settings import TrainingSettings
from training.tracking.mlflow_run import tracked_run

BUNDLES: Final = "bundles"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to train on and where to, the lengths of time, and how to train."""

    source: Path
    out: Path
    horizons: Horizons
    settings: TrainingSettings
    cluster: Callable[[Path], Fitter] | None = None
    """Makes the fitter of a cluster that reads training rows from a file; None fits here."""
    tuning: Tuning | None = None


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How long to search for better settings."""

    trials: int
    timeout_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What a training learned, how good it is, and where it is."""

    job: Job
    report: Report
    row_count: int
    imputed: tuple[str, ...]
    evaluations: Mapping[Target, Evaluation]
    bundle_id: str
    run_id: str
    location: str
    """Where a person finds the run in MLflow."""
    reused: tuple[str, ...]
    """Names of the stages that an earlier process had finished."""


def learn_and_publish(job: Job, tell: Tell) -> Learned:
    """Check, compute features, train, evaluate, record, and put the bundle in use.

    Raises:
        XuanpinError: the data are broken or can't support a model, another process is at work in
            the run directory, or the disk refuses; what an earlier run published stays in use.
    """
    with sole_use(job.out):
        checkpoints = checkpoints_of(job, tell)
        known = known_rows(job.source, job.horizons, checkpoints, tell)
        learned = learn(job, known, checkpoints, tell)
        publish(job.out / BUNDLES, learned.bundle_id)
    return learned


def checkpoints_of(job: Job, tell: Tell) -> Checkpoints:
    """Return the finished stages of the job's run directory."""
    return Checkpoints(job.out, program_facts(), tell)


def learn(job: Job, known: KnownRows, checkpoints: Checkpoints, tell: Tell) -> Learned:
    """Train on known rows, write the bundle and record it; nobody uses it yet.

    Raises:
        TrainingError: the rows can't support a model.
        StorageError: the disk or the tracking store refuses.
    """
    recipe = Recipe(job.horizons, CATALOGUE, job.settings)
    kept = KeptBoosters(checkpoints)
    here = partial(fit_here, each=kept)
    tell("train: open the experiment record")
    with tracked_run(job.out, job.settings) as tracked:
        trained = train(
            known.rows,
            recipe,
            git_commit=git_commit(),
            progress=lambda stage: tell(f"train: {stage}"),
            fit=here if job.cluster is None else job.cluster(job.out / TRAINING_ROWS),
            tune=None if job.tuning is None else _tuner(job, job.tuning, known, tell),
        )
        if kept.reused:
            tell(f"train: {len(kept.reused)} of the boosters as before")
        tell("publish: write the bundle")
        bundle_id = write_bundle(trained.contents, job.out / BUNDLES)
        tell("publish: record in MLflow")
        tracked.record(trained, trained.material.recipe, job.out / BUNDLES / bundle_id)
    return Learned(
        job=job,
        report=known.report,
        row_count=known.rows.num_rows,
        imputed=trained.contents.imputed,
        evaluations=trained.evaluations,
        bundle_id=bundle_id,
        run_id=tracked.run_id,
        location=tracked.location,
        reused=(*known.reused, *sorted(kept.reused)),
    )


def _tuner(job: Job, tuning: Tuning, known: KnownRows, tell: Tell) -> Tuner:
    """Return a search whose trials are those of the same rows, settings and program alone."""
    from training.tuning.search import Search  # noqa: PLC0415 - a second to import, and few tune

    metadata = known.rows.schema.metadata
    facts = {
        "rows": [metadata[name].decode() for name in (DIGEST, FINGERPRINT)],
        "horizons": job.horizons.model_dump(),
        "settings": job.settings.model_dump(exclude={"threads", "tracking_uri", "experiment"}),
        "program": program_facts(),
    }
    return Search(
        trials=tuning.trials,
        timeout_seconds=tuning.timeout_seconds,
        database=job.out / STAGES / f"tuning-{version('optuna')}.db",
        study=sha256_of(canonical_json(facts)),
        tell=lambda said: tell(f"train: {said}"),
    ).recipe
