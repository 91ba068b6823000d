"""Connect to a Dask cluster and watch its workers while they fit.

Only this file and dask_fitting.py import Dask.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from lightgbm import register_logger
from lightgbm.basic import LightGBMError

from features.runtime.settings import InvalidSettingError
from features.runtime.temporary import temporary_directory
from training.boosting.dask_errors import (
    DaskMissingError,
    NoWorkersError,
    SchedulerLostError,
    SchedulerUnreachableError,
    WorkerLostError,
)
from training.data.training_input import BoosterTexts

try:
    from dask import config
    from dask.utils import parse_timedelta
    from distributed import Client, LocalCluster
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


def connect_timeout() -> float:
    """Return the seconds that Dask's configuration allows for a connection.

    Raises:
        InvalidSettingError: the configuration holds no length of time.
    """
    try:
        return float(parse_timedelta(config.get(_TIMEOUT_SETTING), "s"))
    except (ValueError, KeyError, TypeError) as error:
        should_be = 'a length of time such as "30s"'
        raise InvalidSettingError(_TIMEOUT_SETTING, "Dask's configuration", should_be) from error


@contextmanager
def connect(scheduler: str | None, *, seconds: float) -> Iterator[Client]:
    """Connect to a scheduler, or to a cluster of this machine that ends with the context.

    Raises:
        ClusterError: the scheduler or its workers don't answer within `seconds`.
    """
    if scheduler is None:
        with _local_cluster() as cluster, Client(cluster, set_as_default=False) as client:
            client.run(_silence_stdout)
            yield client
    else:
        with _reach_scheduler(scheduler, seconds) as client:
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
def _reach_scheduler(address: str, seconds: float) -> Iterator[Client]:
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


def fit_while_workers_live(client: Client, fit: Callable[[], BoosterTexts]) -> BoosterTexts:
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
