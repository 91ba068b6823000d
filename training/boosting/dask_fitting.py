"""Fit the boosters on a Dask cluster (no other file imports Dask).

Each worker reads its parts of the file of training rows and computes their design matrix. Then
`lightgbm.dask` grows every tree on all workers together, each on the rows that it holds. Boosters
are fitted one after the other: two at a time would wait for each other's workers.

Workers talk to each other over their own ports without encryption: use a trusted network.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from lightgbm import DaskLGBMRegressor, register_logger
from lightgbm.basic import LightGBMError

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.settings import InvalidSettingError
from features.runtime.temporary import temporary_directory
from serving.prediction.init_score import init_column
from training.boosting.dask_errors import (
    DaskMissingError,
    NoWorkersError,
    RowsUnreachableError,
    SchedulerLostError,
    SchedulerUnreachableError,
    WorkerLostError,
)
from training.boosting.dask_rows import read_part, split_into_parts
from training.boosting.fit_boosters import init_score, refuse_unlearnable_samples
from training.boosting.objectives import BoosterObjective, booster_objectives
from training.data.sample import Sample
from training.data.training_input import BoosterTexts, TrainingInput

try:
    import distributed
    from dask import array, config
    from dask.delayed import delayed
    from dask.utils import parse_timedelta
    from distributed import Client, Future, LocalCluster
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker
except ImportError as error:
    raise DaskMissingError from error

LOCAL_WORKERS: Final = 2
_LOCAL_SETTINGS: Final = {
    "distributed.scheduler.work-stealing": False,  # a part stays where it was read
    "distributed.admin.tick.limit": "1h",  # no warnings: a worker that trains is slow to answer
}
_TIMEOUT_SETTING: Final = "distributed.comm.timeouts.connect"
_POLL_SECONDS: Final = 1.0
"""Seconds between two checks that all workers are still there."""

_IGNORED_WARNINGS: Final = ("Parameter n_jobs will be ignored", "Finding random open ports")
"""Warnings of `lightgbm.dask` at every fit, about which a user can do nothing."""

_ADDRESS_LINES: Final = re.compile(r"^\[(machines|local_listen_port): .*\]\n", re.MULTILINE)
"""Lines of a booster's text with the addresses of the workers."""


def _connect_timeout() -> float:
    """Return the seconds that Dask's configuration allows for a connection."""
    try:
        return float(parse_timedelta(config.get(_TIMEOUT_SETTING), "s"))
    except (ValueError, KeyError, TypeError) as error:
        should_be = 'a length of time such as "30s"'
        raise InvalidSettingError(_TIMEOUT_SETTING, "Dask's configuration", should_be) from error


@dataclass(frozen=True)
class DaskFitter:
    """Fit boosters on the cluster of a scheduler, or on two worker processes of this machine.

    `rows` is the Parquet file that the training set was read from; all workers must be able to read
    it under this path. The client still holds the training set, which the other steps of a training
    read (docs/decisions/memory-of-a-dask-client.md). The cluster saves the client the design matrix
    of the training slice, and time.
    """

    rows: Path
    scheduler: str | None = None
    timeout_seconds: float = field(default_factory=_connect_timeout)
    """Seconds to wait for the scheduler, and then for its first worker."""

    def __call__(
        self, training_input: TrainingInput, samples: Mapping[Target, Sample]
    ) -> BoosterTexts:
        """Return each target's boosters as text, as `fit_boosters` does.

        Two runs give different trees of nearly the same quality: LightGBM finds the bins of an
        input on the rows of one worker, which is chosen at random.

        Raises:
            TrainingError: a sample can't be learned from, as in `fit_boosters`.
            ClusterError: the cluster failed; the subclass in training/boosting/dask_errors.py says
                how.
        """
        refuse_unlearnable_samples(samples, training_input.recipe.settings)
        with self._client() as client:
            rows = self.rows.absolute()  # workers have other working directories
            return _fit_while_workers_live(
                client, lambda: _fit(rows, client, training_input, samples)
            )

    @contextmanager
    def _client(self) -> Iterator[Client]:
        if self.scheduler is None:
            with _local_cluster() as cluster, Client(cluster, set_as_default=False) as client:
                client.run(_silence_stdout)
                yield client
        else:
            with _connect(self.scheduler, self.timeout_seconds) as client:
                yield client


@contextmanager
def _local_cluster() -> Iterator[LocalCluster]:
    """Start single-threaded worker processes that only this machine can reach."""
    with (
        temporary_directory() as scratch,
        config.set({**_LOCAL_SETTINGS, "temporary-directory": str(scratch)}),
        LocalCluster(
            n_workers=LOCAL_WORKERS,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
    ):
        yield cluster


def _silence_stdout() -> None:
    """Silence a worker's standard output, which is ours: LightGBM prints ports and ranks there."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _connect(address: str, seconds: float) -> Iterator[Client]:
    try:
        client = Client(address, timeout=seconds, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        reason = type(error).__name__
        raise SchedulerUnreachableError(address, seconds=seconds, reason=reason) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=seconds)
        except TimeoutError as error:
            raise NoWorkersError(address, seconds=seconds) from error
        yield client


def _fit_while_workers_live(client: Client, fit: Callable[[], BoosterTexts]) -> BoosterTexts:
    """Fit, but give up when a worker goes away: the others would wait for its rows for ever."""
    workers = _live_workers(client)
    with ThreadPoolExecutor(1) as thread:
        fitting = thread.submit(_fit_as_current_client, client, fit)
        while not futures.wait([fitting], timeout=_POLL_SECONDS).done:
            lost = workers - _live_workers(client)
            if lost:
                client.close()  # cancels what the thread waits for
                raise WorkerLostError(lost, workers=len(workers))
    try:
        return fitting.result()
    except (KilledWorker, CommClosedError, FutureCancelledError, LightGBMError) as error:
        lost = workers - _live_workers(client)
        if lost or isinstance(error, KilledWorker):
            raise WorkerLostError(lost, workers=len(workers)) from error
        raise


def _live_workers(client: Client) -> frozenset[str]:
    """Return the addresses of the scheduler's workers."""
    try:
        return frozenset(client.ncores())
    except OSError as error:
        client.close()
        raise SchedulerLostError from error


def _fit_as_current_client(client: Client, fit: Callable[[], BoosterTexts]) -> BoosterTexts:
    """Fit with `client` as Dask's current one, which `lightgbm.dask` uses."""
    log = logging.getLogger("lightgbm")
    log.addFilter(_is_useful)
    register_logger(log)
    with client.as_current():
        return fit()


def _is_useful(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_IGNORED_WARNINGS)


def _fit(
    path: Path, client: Client, training_input: TrainingInput, samples: Mapping[Target, Sample]
) -> BoosterTexts:
    settings, catalogue = training_input.recipe.settings, training_input.recipe.catalogue
    data = _read_parts(path, client, training_input, samples)
    names, texts = list(catalogue.model_inputs), BoosterTexts()
    for target in samples:
        trees = settings.tree_count(target, names)
        inputs, label, weight = data.target_arrays(target)
        init_scores = _init_scores(target, inputs, names)
        fits = [
            (_build_regressor(client, objective, trees), objective.weight(inputs, weight))
            for objective in booster_objectives(target, catalogue, settings)
        ]
        texts[target] = tuple(
            _fit_booster(regressor, (inputs, label, weights), init_scores, names)
            for regressor, weights in fits
        )
    return texts


def _build_regressor(client: Client, objective: BoosterObjective, trees: int) -> DaskLGBMRegressor:
    seeds = {"bagging_seed": objective.seed, "feature_fraction_seed": objective.seed}
    parameters = {**objective.parameters, **seeds}
    del parameters["num_threads"]  # each worker uses all of its threads
    return DaskLGBMRegressor(client=client, n_estimators=trees, **parameters)


@dataclass(frozen=True)
class _WorkerParts:
    """Parts that workers hold, as futures with the number of rows of each target."""

    parts: Sequence[tuple[Future[Any], Mapping[Target, int]]]
    width: int

    def target_arrays(self, target: Target) -> tuple[array.Array, array.Array, array.Array]:
        """Return a target's inputs, labels and weights; each part stays on its worker."""
        parts = [(delayed(part), rows[target]) for part, rows in self.parts if rows[target]]
        inputs, labels, weights = (
            array.concatenate(
                [
                    array.from_delayed(getattr(part[target], name), (rows, *shape), np.float64)
                    for part, rows in parts
                ]
            )
            for name, shape in (("inputs", (self.width,)), ("label", ()), ("weight", ()))
        )
        return inputs, labels, weights


def _read_parts(
    path: Path, client: Client, training_input: TrainingInput, samples: Mapping[Target, Sample]
) -> _WorkerParts:
    """Let the workers read the file; each part stays on the worker that read it."""
    workers = sorted(client.ncores())
    parts = split_into_parts(path, training_input, samples, min_parts=len(workers))
    catalogue = training_input.recipe.catalogue
    reading = [
        client.submit(
            read_part,
            part,
            catalogue,
            training_input.parameters,
            workers=[workers[number % len(workers)]],
            allow_other_workers=False,
            pure=False,
        )
        for number, part in enumerate(parts)
    ]
    distributed.wait(reading)
    for future in reading:
        error = future.exception() if future.status == "error" else None
        if isinstance(error, OSError):
            raise RowsUnreachableError(str(path), str(error)) from error
    rows = [
        {target: wanted.label.size for target, wanted in part.target_rows.items()} for part in parts
    ]
    return _WorkerParts(list(zip(reading, rows, strict=True)), len(catalogue.model_inputs))


def _init_scores(target: Target, inputs: array.Array, names: list[str]) -> array.Array | None:
    """Return the rows' initial log odds; each part stays on the worker of its rows."""
    if init_column(target, names) is None:
        return None

    def part_init_scores(part: FloatArray) -> FloatArray | None:
        return init_score(target, part, names)

    empty = np.empty(0)
    scores: array.Array = array.map_blocks(
        part_init_scores, inputs, drop_axis=1, dtype=np.float64, meta=empty
    )
    return scores


def _fit_booster(
    regressor: Any,  # noqa: ANN401 - untyped
    rows: tuple[array.Array, ...],
    init_scores: array.Array | None,
    names: list[str],
) -> str:
    inputs, label, weight = rows
    fitted = regressor.fit(
        inputs, label, sample_weight=weight, init_score=init_scores, feature_name=names
    )
    text: str = fitted.booster_.model_to_string()
    return _ADDRESS_LINES.sub("", text)
