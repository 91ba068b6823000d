"""Fit the boosters on a Dask cluster: the only file that knows Dask.

Each worker reads its part of the training rows from the file and computes their design matrix;
`lightgbm.dask` then grows every tree on all workers at once, each on the rows that it holds. One
booster is fitted after the other: two at a time would wait for each other's workers.

Workers talk to each other over ports of their own, unencrypted: use a network that is trusted.
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
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from lightgbm import DaskLGBMRegressor, register_logger
from lightgbm.basic import LightGBMError

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.settings import InvalidSettingError
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
from training.boosting.fit_boosters import init_score, refuse_broken_samples
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
    "distributed.admin.tick.limit": "1h",  # a worker that trains is slow to answer: no news
}
_TIMEOUT_SETTING: Final = "distributed.comm.timeouts.connect"
_POLL_SECONDS: Final = 1.0
"""Between two looks at whether all workers are still there."""

_IGNORED_WARNINGS: Final = ("Parameter n_jobs will be ignored", "Finding random open ports")
"""What `lightgbm.dask` says of every fit, there being nothing that anyone could do about it."""

_ADDRESS_LINES: Final = re.compile(r"^\[(machines|local_listen_port): .*\]\n", re.MULTILINE)
"""Lines of a booster's text that say where the workers were."""


def _connect_timeout() -> float:
    """Return how many seconds Dask is set to wait for a connection."""
    try:
        return float(parse_timedelta(config.get(_TIMEOUT_SETTING), "s"))
    except (ValueError, KeyError, TypeError) as error:
        should_be = 'a length of time such as "30s"'
        raise InvalidSettingError(_TIMEOUT_SETTING, "Dask's configuration", should_be) from error


@dataclass(frozen=True)
class DaskFitter:
    """Fit boosters on the cluster of a scheduler, or on two worker processes of this machine.

    `rows` is the Parquet file that the training set was read from, under a path that all workers
    can read. The client still holds the training set and its design matrix in full, which split,
    pooling, calibration and evaluation read: 3.7 kB a row with today's catalogue, measured, or
    3.7 GB for a million rows. What a cluster takes off it is LightGBM's own copies, and the time.
    """

    rows: Path
    scheduler: str | None = None
    timeout_seconds: float = field(default_factory=_connect_timeout)
    """How long to wait for the scheduler, and then for its first worker."""

    def __call__(
        self, training_input: TrainingInput, samples: Mapping[Target, Sample]
    ) -> BoosterTexts:
        """Return each target's boosters as text, as `fit_boosters` does.

        Another run gives other trees, though hardly another quality: LightGBM finds the bins of
        each input on the rows of one worker, and chance says which.

        Raises:
            TrainingError: as `fit_boosters`, for samples that teach nothing. ClusterError: one of
            the subclasses in training/boosting/dask_errors.py says what failed.
        """
        refuse_broken_samples(samples, training_input.recipe.settings)
        with self._client() as client:
            rows = self.rows.absolute()  # workers began in other directories
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
        TemporaryDirectory(prefix="xuanpin-dask-") as scratch,
        config.set({**_LOCAL_SETTINGS, "temporary-directory": scratch}),
        LocalCluster(
            n_workers=LOCAL_WORKERS,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
    ):
        yield cluster


def _silence_stdout() -> None:
    """Keep a worker off our standard output, where LightGBM writes of ports and ranks."""
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
    """Fit, but give up when a worker goes: the others would wait for its rows for ever."""
    workers = _live_workers(client)
    with ThreadPoolExecutor(1) as thread:
        fitting = thread.submit(_fit_as_current_client, client, fit)
        while not futures.wait([fitting], timeout=_POLL_SECONDS).done:
            lost = workers - _live_workers(client)
            if lost:
                client.close()  # what waits in the thread is cancelled by it
                raise WorkerLostError(lost, workers=len(workers))
    try:
        return fitting.result()
    except (KilledWorker, CommClosedError, FutureCancelledError, LightGBMError) as error:
        lost = workers - _live_workers(client)
        if lost or isinstance(error, KilledWorker):
            raise WorkerLostError(lost, workers=len(workers)) from error
        raise


def _live_workers(client: Client) -> frozenset[str]:
    """Return the addresses of the workers that the scheduler has."""
    try:
        return frozenset(client.ncores())
    except OSError as error:
        client.close()
        raise SchedulerLostError from error


def _fit_as_current_client(client: Client, fit: Callable[[], BoosterTexts]) -> BoosterTexts:
    """Fit with the client that `lightgbm.dask` finds without asking for it by name."""
    log = logging.getLogger("lightgbm")
    log.addFilter(_is_news)
    register_logger(log)
    with client.as_current():
        return fit()


def _is_news(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_IGNORED_WARNINGS)


def _fit(
    path: Path, client: Client, training_input: TrainingInput, samples: Mapping[Target, Sample]
) -> BoosterTexts:
    settings, catalogue = training_input.recipe.settings, training_input.recipe.catalogue
    held = _read_parts(path, client, training_input, samples)
    names, texts = list(catalogue.model_inputs), BoosterTexts()
    for target in samples:
        trees = settings.tree_count(target, names)
        inputs, label, weight = held.target_arrays(target)
        start = _init_scores(target, inputs, names)
        fits = [
            (_build_regressor(client, one, trees), one.weight(inputs, weight))
            for one in booster_objectives(target, catalogue, settings)
        ]
        texts[target] = tuple(
            _fit_booster(one, (inputs, label, by), start, names) for one, by in fits
        )
    return texts


def _build_regressor(client: Client, objective: BoosterObjective, trees: int) -> DaskLGBMRegressor:
    seeds = {"bagging_seed": objective.seed, "feature_fraction_seed": objective.seed}
    parameters = {**objective.parameters, **seeds}
    del parameters["num_threads"]  # as many as each worker has
    return DaskLGBMRegressor(client=client, n_estimators=trees, **parameters)


@dataclass(frozen=True)
class _WorkerParts:
    """What workers hold: futures of parts, and how many rows of each target are in each."""

    parts: Sequence[tuple[Future[Any], Mapping[Target, int]]]
    width: int

    def target_arrays(self, target: Target) -> tuple[array.Array, array.Array, array.Array]:
        """Return a target's inputs, labels and weights, each part where it was read."""
        ours = [(delayed(part), rows[target]) for part, rows in self.parts if rows[target]]
        inputs, labels, weights = (
            array.concatenate(
                [
                    array.from_delayed(getattr(part[target], name), (rows, *shape), np.float64)
                    for part, rows in ours
                ]
            )
            for name, shape in (("inputs", (self.width,)), ("label", ()), ("weight", ()))
        )
        return inputs, labels, weights


def _read_parts(
    path: Path, client: Client, training_input: TrainingInput, samples: Mapping[Target, Sample]
) -> _WorkerParts:
    """Have the workers read the file; each part stays where it was read."""
    workers = sorted(client.ncores())
    parts = split_into_parts(path, training_input, samples, least=len(workers))
    catalogue = training_input.recipe.catalogue
    reading = [
        client.submit(
            read_part,
            part,
            catalogue,
            training_input.parameters,
            workers=[workers[place % len(workers)]],
            allow_other_workers=False,
            pure=False,
        )
        for place, part in enumerate(parts)
    ]
    distributed.wait(reading)
    for one in reading:
        error = one.exception() if one.status == "error" else None
        if isinstance(error, OSError):
            raise RowsUnreachableError(str(path), str(error)) from error
    rows = [{target: one.label.size for target, one in part.target_rows.items()} for part in parts]
    return _WorkerParts(list(zip(reading, rows, strict=True)), len(catalogue.model_inputs))


def _init_scores(target: Target, inputs: array.Array, names: list[str]) -> array.Array | None:
    """Return where the target's trees start, each part where its rows are."""
    if init_column(target, names) is None:
        return None

    def part_init_scores(part: FloatArray) -> FloatArray | None:
        return init_score(target, part, names)

    empty = np.empty(0)
    starts: array.Array = array.map_blocks(
        part_init_scores, inputs, drop_axis=1, dtype=np.float64, meta=empty
    )
    return starts


def _fit_booster(
    booster: Any,  # noqa: ANN401 - untyped
    rows: tuple[array.Array, ...],
    start: array.Array | None,
    names: list[str],
) -> str:
    inputs, label, weight = rows
    fitted = booster.fit(inputs, label, sample_weight=weight, init_score=start, feature_name=names)
    text: str = fitted.booster_.model_to_string()
    return _ADDRESS_LINES.sub("", text)
