"""Run the main job: from source tables to published artefacts and scored candidates."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import Dataset
from features.dataset.days import as_of_to_day, to_datetime
from features.online.files import sign_snapshot
from features.online.snapshot import OnlineSnapshot
from features.online.store import store_snapshot
from features.point_in_time.snapshot_values import materialise
from features.runtime.pointer import publish, resolve
from features.runtime.progress import ProgressCallback
from serving.bundle.bundle import load_bundle
from serving.bundle.checks import sign_bundle
from serving.scoring.answers import ScoredBatch
from serving.scoring.candidates import Candidate
from serving.scoring.score import score
from training.checkpoints.run_lock import run_lock
from training.data.prepare_rows import PreparedRows, prepare_rows
from training.pipeline.job import (
    BUNDLES,
    TrainingJob,
    TrainingResult,
    open_checkpoints,
    prepare_outputs,
    train_and_record,
)
from training.pipeline.propose_candidates import (
    CANDIDATE_COLUMNS,
    CANDIDATES,
    propose_candidates,
    write_candidates,
)
from training.tracking.mlflow_run import check_store

SNAPSHOTS: Final = "snapshots"


@dataclass(frozen=True, kw_only=True)
class RunResult(TrainingResult):
    """The result of a training, with the online snapshot and the scored candidates."""

    as_of: datetime
    snapshot_id: str
    candidates: tuple[Candidate, ...]
    """Empty if no market can take another product."""
    scored: ScoredBatch | None


def run(job: TrainingJob, progress: ProgressCallback) -> RunResult:
    """Check tables, compute features, train, evaluate, publish and score, in one call.

    Stages that an earlier process finished are reused.

    Raises:
        XuanpinError: the data are broken or can't support a model, another process is training in
            the run directory, or the disk can't be written. Artefacts that an earlier run published
            stay in use.
    """
    key = job.read_signing_key()
    with run_lock(job.out):
        prepare_outputs(job.out, directories=(BUNDLES, SNAPSHOTS), files=(CANDIDATES,))
        check_store(job.out, job.settings)
        checkpoints = open_checkpoints(job, progress)
        prepared = prepare_rows(job.source, job.horizons, checkpoints, progress)
        result = train_and_record(job, prepared, checkpoints, progress)
        progress("publish: bundle and online snapshot")
        as_of = to_datetime(result.cut_off_day)  # the last moment of which the data are complete
        with prepared.validated.open_signals() as signals:
            contents = materialise(signals, CATALOGUE, as_of)
            listed = _read_listed_pairs(signals.dataset)
        snapshot_id = store_snapshot(contents, job.out / SNAPSHOTS)
        if key is not None:
            sign_bundle(job.out / BUNDLES / result.bundle_id, key)
            sign_snapshot(job.out / SNAPSHOTS / snapshot_id, key)
        publish(job.out / BUNDLES, result.bundle_id)
        publish(job.out / SNAPSHOTS, snapshot_id)
        progress("score: candidates that their market doesn't list yet")
        candidates, scored = _score_new_candidates(job, prepared, listed, as_of)
    return RunResult(
        **vars(result),
        as_of=as_of,
        snapshot_id=snapshot_id,
        candidates=candidates,
        scored=scored,
    )


def _read_listed_pairs(dataset: Dataset) -> set[tuple[str, str]]:
    """Return the pairs of product and market that have a listing."""
    pairs = dataset.connection.to_pyarrow(dataset.tables["listings"].select("product_id", "market"))
    return {(row["product_id"], row["market"]) for row in pairs.to_pylist()}


def _score_new_candidates(
    job: TrainingJob, prepared: PreparedRows, listed: AbstractSet[tuple[str, str]], as_of: datetime
) -> tuple[tuple[Candidate, ...], ScoredBatch | None]:
    """Score new candidates with the published artefacts, loaded as the service loads them."""
    bundle = load_bundle(resolve(job.out / BUNDLES))
    snapshot = OnlineSnapshot.open_verified(resolve(job.out / SNAPSHOTS))
    currencies = snapshot.about.markets
    candidates = tuple(
        propose_candidates(
            prepared.read_rows(CANDIDATE_COLUMNS), listed, currencies, as_of_day=as_of_to_day(as_of)
        )
    )
    write_candidates(candidates, job.out / CANDIDATES)
    scored = None
    if candidates:
        scored = score(bundle, snapshot, candidates, coverage=job.settings.interval_coverage)
    snapshot.close()
    return candidates, scored
