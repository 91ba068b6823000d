"""Errors of a Dask cluster: one class for each failure, built from facts."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Final

from features.runtime.errors import XuanpinError
from features.runtime.text import join_names

_MAX_NAMES: Final = 3


class ClusterError(XuanpinError):
    """Report a cluster that can't be used (exit code 6)."""

    exit_code: ClassVar[int] = 6


class DaskMissingError(ClusterError):
    """Refuse to train on a cluster without the packages that talk to it."""

    def __init__(self) -> None:
        super().__init__(
            problem="The packages dask and distributed aren't installed.",
            hint="Install them: pip install '.[dask]' in the checkout. Or train on this machine.",
        )


class SchedulerUnreachableError(ClusterError):
    """Report a scheduler that doesn't answer."""

    def __init__(self, address: str, *, seconds: float, reason: str) -> None:
        super().__init__(
            problem=f"The Dask scheduler at {address} didn't answer within {seconds:g} s "
            f"({reason}).",
            hint="Check the address and that `dask scheduler` runs there.",
        )


class NoWorkersError(ClusterError):
    """Report a scheduler without a single worker."""

    def __init__(self, address: str, *, seconds: float) -> None:
        super().__init__(
            problem=f"The scheduler at {address} had no worker within {seconds:g} s.",
            hint=f"Start one with `dask worker {address} --nthreads 1`.",
        )


class SchedulerLostError(ClusterError):
    """Report a scheduler that went away while boosters were fitted."""

    def __init__(self) -> None:
        super().__init__(
            problem="The Dask scheduler stopped answering while boosters were fitted.",
            hint="Look at its log, start it and its workers again, then train again.",
        )


class WorkerLostError(ClusterError):
    """Report workers that went away while boosters were fitted: each held a part of the rows."""

    def __init__(self, lost: Collection[str], *, workers: int) -> None:
        named = join_names(sorted(lost), _MAX_NAMES) if lost else "one that died again and again"
        super().__init__(
            problem=f"Of {workers} workers, some went away while boosters were fitted: {named}.",
            hint="Look at the worker's log: it may need more memory. Then train again.",
        )


class RowsUnreachableError(ClusterError):
    """Refuse a path of training rows that a worker can't read."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            problem=f"Every worker must read the training rows {path}, but one can't: {reason}.",
            hint="Put the file where all workers find it under the same path.",
        )


class OtherRowsError(ClusterError):
    """Refuse a file with other rows than those of the training set."""

    def __init__(self, path: str, *, expected: str, actual: str) -> None:
        super().__init__(
            problem=f"Expected {expected} in {path}; found {actual}.",
            hint="Train again, and let no other program change the file meanwhile.",
        )
