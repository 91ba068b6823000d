"""The main job: from source tables to published artefacts and scored candidates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from experiments.commit import git_commit
from experiments.unseen import unseen_candidates, write_candidates
from features.catalogue import CATALOGUE
from features.dataset import Dataset, open_dataset
from features.days import to_datetime
from features.declarations import Target
from features.durable import replacing
from features.horizons import Horizons
from features.imputed_stock import with_stock
from features.materialise import materialise
from features.online import OnlineSnapshot
from features.pointer import publish, resolve
from features.report import Report
from features.signal_rows import stored_rows
from features.snapshot_store import store_snapshot
from features.training_rows import build_training_rows
from features.validation import validate
from serving.answers import ScoredBatch
from serving.bundle import load_bundle, write_bundle
from serving.candidates import Candidate
from serving.scoring import score
from training.evaluate import Evaluation
from training.material import Recipe
from training.settings import TrainingSettings
from training.tracking import tracked_run
from training.train import train

Tell = Callable[[str], None]
"""Told in a few words what begins."""

VALIDATED: Final = "validated"
BUNDLES: Final = "bundles"
SNAPSHOTS: Final = "snapshots"
TRAINING_ROWS: Final = "training_rows.parquet"
CANDIDATES: Final = "candidates.csv"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to run on and where to, the lengths of time, and how to train."""

    source: Path
    out: Path
    horizons: Horizons
    settings: TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the job learned, how good it is, and what it says of candidates."""

    job: Job
    report: Report
    row_count: int
    imputed: tuple[str, ...]
    as_of: datetime
    evaluations: Mapping[Target, Evaluation]
    bundle_id: str
    snapshot_id: str
    run_id: str
    location: str
    """Where a person finds the run in MLflow."""
    candidates: tuple[Candidate, ...]
    """Empty where every market lists every product."""
    scored: ScoredBatch | None


def run(job: Job, tell: Tell) -> Outcome:
    """Check, compute features, train, evaluate, publish, score: everything once.

    Raises:
        XuanpinError: the data are broken or can't support a model, or the disk refuses; what an
            earlier run published stays in use.
    """
    tell("check: tables against the contract")
    report = validate(job.source, job.out / VALIDATED)
    tell("features: every listing, week by week, as it was known then")
    dataset = with_stock(open_dataset(job.out / VALIDATED), job.horizons)
    signals = stored_rows(dataset, job.horizons)
    rows = build_training_rows(signals, CATALOGUE)
    with replacing(job.out / TRAINING_ROWS) as path:
        pq.write_table(rows, path)
    recipe = Recipe(job.horizons, CATALOGUE, job.settings)
    tell("train: open the experiment record")
    with tracked_run(job.out, job.settings) as tracked:
        trained = train(
            rows, recipe, git_commit=git_commit(), progress=lambda stage: tell(f"train: {stage}")
        )
        tell("publish: bundle and online snapshot")
        bundle_id = write_bundle(trained.contents, job.out / BUNDLES)
        # The last moment that the data know in full.
        as_of = to_datetime(dataset.cut_off_day())
        snapshot_id = store_snapshot(materialise(signals, CATALOGUE, as_of), job.out / SNAPSHOTS)
        tell("publish: record in MLflow")
        tracked.record(trained, recipe, job.out / BUNDLES / bundle_id)
        publish(job.out / BUNDLES, bundle_id)
        publish(job.out / SNAPSHOTS, snapshot_id)
    tell("score: candidates that no market lists yet")
    candidates, scored = _score_unseen(job, dataset, rows)
    return Outcome(
        job=job,
        report=report,
        row_count=rows.num_rows,
        imputed=dataset.imputed,
        as_of=as_of,
        evaluations=trained.evaluations,
        bundle_id=bundle_id,
        snapshot_id=snapshot_id,
        run_id=tracked.run_id,
        location=tracked.location,
        candidates=candidates,
        scored=scored,
    )


def _score_unseen(
    job: Job, dataset: Dataset, rows: pa.Table
) -> tuple[tuple[Candidate, ...], ScoredBatch | None]:
    """Score unseen candidates with what was published, loaded as the service loads it."""
    bundle = load_bundle(resolve(job.out / BUNDLES))
    snapshot = OnlineSnapshot.open(resolve(job.out / SNAPSHOTS))
    pairs = dataset.connection.to_pyarrow(dataset.tables["listings"].select("product_id", "market"))
    listed = {(row["product_id"], row["market"]) for row in pairs.to_pylist()}
    candidates = tuple(unseen_candidates(rows, listed, snapshot.about.markets))
    if not candidates:
        return candidates, None
    write_candidates(candidates, job.out / CANDIDATES)
    scored = score(bundle, snapshot, candidates, level=job.settings.interval_level)
    snapshot.close()
    return candidates, scored
