"""A backtest from end to end on the market of a year: judgements, checkpoints, record, refusals."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from features.dataset.horizons import Horizons
from features.point_in_time.training_rows import CUT_OFF
from features.runtime.progress import ignore_progress
from tests.worlds.progress import Reports
from training.backtest.backtest import (
    BacktestJob,
    BacktestResult,
    judge_origins,
    run_backtest,
)
from training.backtest.key import backtest_key
from training.backtest.result import metrics_by_origin, read_result
from training.checkpoints.checkpoints import Checkpoints
from training.checkpoints.code_version import code_version
from training.data.prepare_rows import PreparedRows, prepare_rows
from training.errors import NoOriginError
from training.settings import TrainingSettings

# MLflow 3.17 declares its tables in a way that SQLAlchemy 2.1 calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")

SETTINGS = TrainingSettings(
    trees=5, boosters=1, min_positives=5, min_rows=20, latest_days=28, min_train_days=150
)
"""Return risk can be learned at the end of the data, and not a month earlier."""


@pytest.fixture(scope="module")
def job(
    year_market: Path, prepared_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> BacktestJob:
    out = shutil.copytree(prepared_run, tmp_path_factory.mktemp("backtest") / "run")
    return BacktestJob(
        source=year_market, out=Path(out), horizons=Horizons(), settings=SETTINGS, origins=2
    )


@pytest.fixture(scope="module")
def result(job: BacktestJob) -> Iterator[BacktestResult]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield run_backtest(job, ignore_progress)


@pytest.fixture(scope="module")
def prepared(job: BacktestJob, result: BacktestResult) -> PreparedRows:
    assert result.backtest.origins  # the rows are read after the backtest has used them
    return prepare_rows(job.source, job.horizons, open_stages(job), ignore_progress)


def open_stages(job: BacktestJob) -> Checkpoints:
    return Checkpoints(job.out, code_version(), ignore_progress)


def test_origins_follow_each_other_and_judge_what_came_after(result: BacktestResult) -> None:
    earlier, later = result.backtest.judged("sell_through")
    assert earlier.first_day < earlier.last_day < later.first_day
    assert earlier.known_rows < later.known_rows


def test_sell_through_is_judged_alone_where_return_risk_cannot_be_learned(
    result: BacktestResult,
) -> None:
    earlier, later = result.backtest.origins
    assert set(earlier.targets) == {"sell_through"}
    assert "final return_risk" in earlier.not_learned["return_risk"]
    assert set(later.targets) == {"sell_through", "return_risk"}
    assert not later.not_learned


def test_finished_origins_are_reused_to_the_bit(
    job: BacktestJob, result: BacktestResult, prepared: PreparedRows
) -> None:
    reports = Reports()
    again = judge_origins(prepared, job, open_stages(job), reports)
    assert again == result.backtest
    assert reports.stages == ["origin 1 of 2: reused", "origin 2 of 2: reused"]


def test_result_is_kept_for_a_training_on_the_same_rows_settings_and_code(
    job: BacktestJob, result: BacktestResult, prepared: PreparedRows
) -> None:
    metadata = prepared.metadata
    assert read_result(job.out, backtest_key(metadata, job.recipe)) == result.backtest
    other = replace(job, settings=SETTINGS.model_copy(update={"trees": 6}))
    assert read_result(job.out, backtest_key(metadata, other.recipe)) is None
    assert read_result(job.out, backtest_key({**metadata, CUT_OFF: b"1"}, job.recipe)) is None


def test_record_has_a_step_an_origin_and_the_files(
    result: BacktestResult, job: BacktestJob
) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=result.location)
    run = client.get_run(result.run_id)
    assert (run.info.run_name, run.info.status) == ("backtest", "FINISHED")
    history = client.get_metric_history(result.run_id, "sell_through.model.log_loss")
    expected = [
        (step, metrics["sell_through.model.log_loss"])
        for step, metrics in enumerate(metrics_by_origin(result.backtest))
    ]
    assert [(metric.step, metric.value) for metric in history] == expected
    files = {file.path for file in client.list_artifacts(result.run_id)}
    assert files == {"backtest.json", "backtest.png", "backtest.txt"}
    assert all((job.out / name).is_file() for name in files)


def test_origins_without_enough_data_are_refused_with_the_way_out(
    job: BacktestJob, prepared: PreparedRows
) -> None:
    hopeless = replace(job, settings=SETTINGS.model_copy(update={"min_train_days": 3000}))
    with pytest.raises(NoOriginError, match=r"any of 2 origins.*lower latest_days"):
        judge_origins(prepared, hopeless, open_stages(job), ignore_progress)
