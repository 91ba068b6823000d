from __future__ import annotations

from features.runtime.errors import XuanpinError
from training.boosting.dask_errors import (
    DaskMissingError,
    NoWorkersError,
    OtherRowsError,
    RowsUnreachableError,
    SchedulerLostError,
    SchedulerUnreachableError,
    WorkerLostError,
)

ADDRESS = "tcp://host:8786"

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        DaskMissingError(),
        (
            "The packages dask and distributed aren't installed. Install them: pip install "
            "'.[dask]' in the checkout. Or train on this machine."
        ),
    ),
    (
        SchedulerUnreachableError(ADDRESS, seconds=30, reason="OSError"),
        (
            "The Dask scheduler at tcp://host:8786 didn't answer within 30 s (OSError). Check the "
            "address and that `dask scheduler` runs there."
        ),
    ),
    (
        NoWorkersError(ADDRESS, seconds=30),
        (
            "The scheduler at tcp://host:8786 had no worker within 30 s. Start one with `dask "
            "worker tcp://host:8786 --nthreads 1`."
        ),
    ),
    (
        SchedulerLostError(),
        (
            "The Dask scheduler stopped answering while boosters were fitted. Look at its log, "
            "start it and its workers again, then train again."
        ),
    ),
    (
        WorkerLostError([f"tcp://host:{port}" for port in (4, 3, 2, 1)], workers=8),
        (
            "Of 8 workers, some went away while boosters were fitted: tcp://host:1, tcp://host:2, "
            "tcp://host:3 and 1 more. Look at the worker's log: it may need more memory. Then "
            "train again."
        ),
    ),
    (
        WorkerLostError([], workers=2),
        (
            "Of 2 workers, some went away while boosters were fitted: one that died again and "
            "again. Look at the worker's log: it may need more memory. Then train again."
        ),
    ),
    (
        RowsUnreachableError("var/run/training_rows.parquet", "No such file"),
        (
            "Every worker must read the training rows var/run/training_rows.parquet, but one "
            "can't: No such file. Put the file where all workers find it under the same path."
        ),
    ),
    (
        OtherRowsError("rows.parquet", expected="90 rows of data set ab", actual="80 rows of cd"),
        (
            "Expected 90 rows of data set ab in rows.parquet; found 80 rows of cd. Train again, "
            "and let no other program change the file meanwhile."
        ),
    ),
]
