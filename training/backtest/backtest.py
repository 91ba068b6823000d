"""Repeat the training at past moments: prepared rows in, judgements by origin out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import NoOrderKnownError
from features.dataset.days import to_date
from features.dataset.horizons import Horizons
from features.point_in_time.training_rows import DIGEST, FINGERPRINT
from features.runtime.atomic import replace_file
from features.runtime.errors import TrainingError, XuanpinError
from features.runtime.progress import ProgressCallback, prefix_progress
from training.backtest.files import write_result
from training.backtest.judge_origin import judge_origin
from training.backtest.key import backtest_facts, backtest_key
from training.backtest.result import Backtest, JudgedOrigin, SkippedOrigin, metrics_by_origin
from training.checkpoints.checkpoints import STAGES, Checkpoints
from training.checkpoints.code_version import code_version, git_commit
from training.checkpoints.run_lock import run_lock
from training.data.past_rows import known_rows
from training.data.prepare_rows import PreparedRows, prepare_rows
from training.data.training_input import TrainingRecipe
from training.errors import NoOriginError
from training.settings import TrainingSettings
from training.tracking.mlflow_run import check_store, track_run
from training.tracking.record import flatten_settings


@dataclass(frozen=True, kw_only=True)
class BacktestJob:
    """The source tables, the run directory, the settings and the number of origins."""

    source: Path
    out: Path
    horizons: Horizons
    settings: TrainingSettings
    origins: int

    @property
    def recipe(self) -> TrainingRecipe:
        """Return how each training is done."""
        return TrainingRecipe(self.horizons, CATALOGUE, self.settings)


@dataclass(frozen=True, kw_only=True)
class BacktestResult:
    """A finished backtest, and where its files and its record are."""

    backtest: Backtest
    run_id: str
    location: str
    """Address of the run in MLflow, for a person."""


def run_backtest(job: BacktestJob, progress: ProgressCallback) -> BacktestResult:
    """Prepare rows, train and judge at each origin, write the result and record it in MLflow.

    Raises:
        XuanpinError: the data are broken, no origin has enough of them, another process is at work
            in the run directory, or the disk or the tracking store refuses.
    """
    with run_lock(job.out):
        check_store(job.out, job.settings)
        checkpoints = Checkpoints(job.out, code_version(), progress)
        prepared = prepare_rows(job.source, job.horizons, checkpoints, progress)
        with track_run(job.out, job.settings, name="backtest") as tracked:
            backtest = judge_origins(prepared, job, checkpoints, progress)
            progress("publish: result and MLflow record")
            files = write_result(backtest, job.out)
            metadata = prepared.metadata
            facts = {
                "dataset_digest": metadata[DIGEST].decode(),
                "catalogue_fingerprint": metadata[FINGERPRINT].decode(),
                "git_commit": git_commit(),
                "origins": job.origins,
            }
            tracked.record_steps(
                flatten_settings(job.recipe) | facts, metrics_by_origin(backtest), files
            )
    return BacktestResult(backtest=backtest, run_id=tracked.run_id, location=tracked.location)


def judge_origins(
    prepared: PreparedRows, job: BacktestJob, checkpoints: Checkpoints, progress: ProgressCallback
) -> Backtest:
    """Train and judge at each origin; those that an earlier process finished are reused.

    The first origin's data end where all data end, each further one's `latest_days` earlier. So the
    judged days of two origins follow each other, but for the days by which the cut-off precedes
    the end of the data that were known by then.

    Raises:
        NoOriginError: at no origin there are enough data.
        StorageError: the disk refuses.
    """
    judged: list[JudgedOrigin] = []
    skipped: list[SkippedOrigin] = []
    reasons: list[XuanpinError] = []
    for number in range(job.origins):
        end = prepared.cut_off_day - number * job.settings.latest_days
        label = f"origin {number + 1} of {job.origins}"
        try:
            judged.append(
                _run_origin(prepared, end, job, checkpoints, prefix_progress(label, progress))
            )
        except (TrainingError, NoOrderKnownError) as reason:
            progress(f"{label}: skipped")
            skipped.append(SkippedOrigin(end=to_date(end), reason=str(reason)))
            reasons.append(reason)
    if not judged:
        raise NoOriginError(job.origins, reasons[0])
    return Backtest(
        key=backtest_key(prepared.metadata, job.recipe),
        interval_coverage=job.settings.interval_coverage,
        origins=tuple(reversed(judged)),
        skipped=tuple(reversed(skipped)),
    )


def _run_origin(
    prepared: PreparedRows,
    end: int,
    job: BacktestJob,
    checkpoints: Checkpoints,
    progress: ProgressCallback,
) -> JudgedOrigin:
    """Train and judge at an origin, and keep the judgement as a finished stage."""
    stage = f"backtest_{to_date(end)}"
    path = checkpoints.run / STAGES / f"{stage}_judged.json"

    def make() -> None:
        judged = judge_origin(known_rows(prepared, end), job.recipe, end, progress)
        replace_file(path, msgspec.json.encode(judged))

    facts = {**backtest_facts(prepared.metadata, job.recipe), "end": end}
    if checkpoints.run_stage(stage, facts, path, make).is_reused:
        progress("reused")
    return msgspec.json.decode(path.read_bytes(), type=JudgedOrigin)
