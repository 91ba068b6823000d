"""Boosters fitted on a real Dask cluster against those fitted here."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dask import config
from distributed import LocalCluster, SchedulerPlugin

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from features.runtime.errors import SettingsError
from features.runtime.progress import ignore_progress
from serving.bundle.bundle import load_bundle, write_bundle
from serving.demand.lot_demand import share_of_margin
from serving.prediction.booster import Booster
from serving.prediction.init_score import init_score
from serving.prediction.target_model import sum_of_trees
from tests.worlds.processes import Program, forking
from tests.worlds.training import QUICK
from training.boosting.dask_errors import (
    NoWorkersError,
    RowsUnreachableError,
    SchedulerLostError,
    SchedulerUnreachableError,
    WorkerLostError,
)
from training.boosting.dask_fitting import DaskFitter
from training.calibration.demand_curve_fit import find_start
from training.data.time_split import TargetSplit
from training.data.training_input import BoosterRequest, TrainingInput, TrainingRecipe
from training.errors import OneClassError
from training.evaluation.judge import MODEL
from training.fit.train import TrainOutput, train
from training.metrics.metrics import row_log_loss

Requests = dict[str, BoosterRequest]
OF_THE_NETWORK = {"tree_learner", "num_machines", "machines", "local_listen_port", "num_threads"}


@pytest.fixture(scope="module", autouse=True)
def _forked_workers() -> Iterator[None]:
    """Fork the workers from a process that has imported what they need."""
    forking()
    with config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        yield


@pytest.fixture(scope="module")
def path(rows: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "rows.parquet"
    pq.write_table(rows, path, row_group_size=900)
    return path


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def trained_there(path: Path, scratch: Path, rows: pa.Table, recipe: TrainingRecipe) -> TrainOutput:
    fit = DaskFitter(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(scratch))
        return train(rows, recipe, git_commit="unknown", progress=ignore_progress, fit=fit)


@pytest.fixture
def requests(splits: dict[Target, TargetSplit]) -> Requests:
    return {target: BoosterRequest(target, split.train, 1) for target, split in splits.items()}


def _parameters(text: str) -> dict[str, str]:
    lines = text.partition("\nparameters:")[2].splitlines()
    pairs = (line.strip("[]").partition(": ") for line in lines if line.startswith("["))
    return {name: value for name, _, value in pairs if name not in OF_THE_NETWORK}


def test_models_of_a_cluster_are_as_good_as_those_made_here(
    trained: TrainOutput, trained_there: TrainOutput
) -> None:
    for target, there in trained_there.evaluations.items():
        here = trained.evaluations[target].overall[MODEL].log_loss
        assert there.overall[MODEL].log_loss == pytest.approx(here, rel=0.01)


def test_boosters_of_a_cluster_have_the_same_inputs_parameters_and_rows(
    trained: TrainOutput, trained_there: TrainOutput
) -> None:
    for target, model in trained_there.contents.models.targets.items():
        ours = trained.contents.models.targets[target].boosters
        assert len(model.boosters) == len(ours)
        for here, there in zip(ours, model.boosters, strict=True):
            assert there.feature_names == CATALOGUE.model_inputs
            assert _parameters(there.text) == _parameters(here.text)
            # each engine draws its own seven of ten rows; test_row_parts.py counts them all
            assert _sum_of("leaf_count", there) == pytest.approx(
                _sum_of("leaf_count", here), rel=0.05
            )
            # Hessians, and so what rows weigh
            assert _sum_of("leaf_weight", there) == pytest.approx(
                _sum_of("leaf_weight", here), rel=0.05
            )


def test_models_of_a_cluster_are_as_good_before_calibration(
    trained: TrainOutput, trained_there: TrainOutput
) -> None:
    """Calibration would hide trees that started from elsewhere than serving does."""
    for target, there in trained_there.contents.models.targets.items():
        split, training_input = trained.splits[target], trained.training_input
        here, latest = trained.contents.models.targets[target], split.latest
        matrix = training_input.design_matrix(latest.rows)
        start = find_start(training_input, target, split.train)
        offset = start + init_score(target, matrix, CATALOGUE.model_inputs)
        sharpness = QUICK.sharpness if target == "sell_through" else 1.0
        losses = [
            np.average(
                row_log_loss(
                    latest.label,
                    share_of_margin(offset + sum_of_trees(model.boosters, matrix), sharpness),
                ),
                weights=latest.weight,
            )
            for model in (here, there)
        ]
        assert losses[1] == pytest.approx(losses[0], rel=0.01)
        trees = [model.boosters[0].text.count("\nTree=") for model in (here, there)]
        assert trees[1] == trees[0]


def _sum_of(name: str, booster: Booster) -> float:
    """Return the sum of what the leaves of the first tree say, of rows or of their Hessians."""
    _, _, after = booster.text.partition(f"\n{name}=")
    return sum(float(one) for one in after[: after.index("\n")].split())


def test_bundles_of_a_cluster_pass_their_checks_and_score(
    trained_there: TrainOutput, tmp_path: Path
) -> None:
    bundle = load_bundle(tmp_path / write_bundle(trained_there.contents, tmp_path))
    for target, model in bundle.models.targets.items():
        matrix = trained_there.training_input.design_matrix(np.arange(50))
        expected = trained_there.contents.models.targets[target].predict(matrix, np.ones(50))
        assert np.array_equal(model.predict(matrix, np.ones(50)).share, expected.share)


def test_boosters_do_not_say_where_the_workers_were(trained_there: TrainOutput) -> None:
    for model in trained_there.contents.models.targets.values():
        assert not any("127.0.0.1" in booster.text for booster in model.boosters)


def test_a_cluster_leaves_no_process_and_no_file(trained_there: TrainOutput, scratch: Path) -> None:
    assert trained_there.evaluations
    assert not list(scratch.iterdir())
    assert not _workers()


def test_samples_that_teach_nothing_are_refused_before_a_cluster_starts(
    path: Path, training_input: TrainingInput, requests: Requests
) -> None:
    request = requests["return_risk"]
    same = replace(request.sample, label=np.zeros(request.sample.rows.size))
    with pytest.raises(OneClassError):
        DaskFitter(path)(training_input, {"return_risk": replace(request, sample=same)})


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere://"])
def test_an_unreachable_scheduler_is_refused_in_bounded_time(
    address: str, path: Path, training_input: TrainingInput, requests: Requests
) -> None:
    start = time.monotonic()
    with pytest.raises(SchedulerUnreachableError, match="within 1 s"):
        DaskFitter(path, address, timeout_seconds=1)(training_input, requests)
    assert time.monotonic() - start < 10


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=0, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


def test_a_scheduler_without_workers_is_refused(
    cluster: LocalCluster, path: Path, training_input: TrainingInput, requests: Requests
) -> None:
    with pytest.raises(NoWorkersError, match="dask worker"):
        DaskFitter(path, cluster.scheduler_address, timeout_seconds=0.5)(training_input, requests)


class _OnTask(SchedulerPlugin):
    """Act, once, as soon as the scheduler hands out a task of a name."""

    def __init__(self, name: str, act: Callable[[], object]) -> None:
        self.name, self.act, self.is_done = name, act, False

    def transition(self, key: object, start: str, finish: str, *_: object, **__: object) -> None:
        is_handed_out = (start, finish) == ("waiting", "processing")
        if is_handed_out and str(key).startswith(self.name) and not self.is_done:
            self.is_done = True
            self.act()


def _on_task(name: str, act: Callable[[], object], cluster: LocalCluster) -> None:
    assert cluster.scheduler is not None
    cluster.scheduler.add_plugin(_OnTask(name, act))


@pytest.fixture
def workers(cluster: LocalCluster) -> LocalCluster:
    cluster.scale(2)
    cluster.wait_for_workers(2)
    return cluster


def _brief(training_input: TrainingInput, *, trees: int) -> TrainingInput:
    settings = QUICK.model_copy(update={"trees": trees, "boosters": 1})
    return replace(training_input, recipe=replace(training_input.recipe, settings=settings))


def test_a_file_that_goes_away_is_refused(
    workers: LocalCluster,
    path: Path,
    training_input: TrainingInput,
    requests: Requests,
    tmp_path: Path,
) -> None:
    gone = tmp_path / "rows.parquet"
    gone.write_bytes(path.read_bytes())
    _on_task("read_part", gone.unlink, workers)
    with pytest.raises(RowsUnreachableError, match="Every worker"):
        DaskFitter(gone, workers.scheduler_address)(training_input, requests)


def test_workers_of_others_read_the_rows_of_a_relative_path_and_are_left_running(
    workers: LocalCluster,
    path: Path,
    training_input: TrainingInput,
    requests: Requests,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(path.parent)
    fit = DaskFitter(Path(path.name), workers.scheduler_address)
    texts = fit(_brief(training_input, trees=1), requests)
    assert [len(boosters) for boosters in texts.values()] == [1, 1]
    assert len(workers.scheduler_info["workers"]) == 2


def test_a_lost_worker_ends_the_training(
    workers: LocalCluster, path: Path, training_input: TrainingInput, requests: Requests
) -> None:
    kill = threading.Timer(0.5, _workers()[-1].kill)
    _on_task("_train_part", kill.start, workers)
    with pytest.raises(WorkerLostError, match=r"fitted: tcp://127\.0\.0\.1"):
        DaskFitter(path, workers.scheduler_address)(_brief(training_input, trees=5000), requests)


SHORT_LIVED = """
import os, signal, time
from dask import config
from distributed import LocalCluster, SchedulerPlugin

class Death(SchedulerPlugin):
    def transition(self, key, start, finish, *_, **__):
        if finish == "processing" and str(key).startswith("_train_part"):
            os.kill(os.getpid(), signal.SIGKILL)

with LocalCluster(
    n_workers=2,
    threads_per_worker=1,
    processes=False,
    protocol="tcp://",
    host="127.0.0.1",
    dashboard_address="127.0.0.1:0",
) as cluster:
    cluster.scheduler.add_plugin(Death())
    print(cluster.scheduler_address, flush=True)
    time.sleep(100)
"""
"""A scheduler and its workers; it is killed once it has handed out the fit of a booster."""


def test_a_lost_scheduler_ends_the_training(
    path: Path, training_input: TrainingInput, requests: Requests
) -> None:
    with Program(SHORT_LIVED) as scheduler:
        address = scheduler.read_line()
        with (
            config.set({"distributed.comm.timeouts.connect": "1s"}),
            pytest.raises(SchedulerLostError, match="stopped answering"),
        ):
            DaskFitter(path, address)(_brief(training_input, trees=5000), requests)
    assert scheduler.returncode == -9


def _workers() -> list[psutil.Process]:
    servers = [child for child in psutil.Process().children() if _is_forked(child)]
    return [worker for server in servers for worker in server.children() if _is_forked(worker)]


def _is_forked(process: psutil.Process) -> bool:
    return "forkserver" in " ".join(process.cmdline())


def test_without_dask_the_way_out_is_named() -> None:
    program = "import sys; sys.modules['dask'] = None; import training.boosting.dask_fitting"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "DaskMissingError" in run.stderr
    assert "pip install '.[dask]'" in run.stderr


@pytest.mark.parametrize(("set_to", "seconds"), [("1s", 1), (2.5, 2.5), ("2 m", 120)])
def test_dask_engine_waits_as_long_as_dask_is_set_to(set_to: object, seconds: float) -> None:
    with config.set({"distributed.comm.timeouts.connect": set_to}):
        assert DaskFitter(Path("rows.parquet")).timeout_seconds == seconds


def test_dask_engine_refuses_to_wait_for_no_length_of_time() -> None:
    with (
        config.set({"distributed.comm.timeouts.connect": "a while"}),
        pytest.raises(
            SettingsError, match=r"timeouts.connect in .* should be a length of time such as"
        ),
    ):
        DaskFitter(Path("rows.parquet"))
