"""Refusals of a Dask cluster: one class a failure, each built from facts."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Final

from features.runtime.errors import XuanpinError

_MAX_NAMED: Final = 3
"""Workers named in one message; the rest is counted."""


class ClusterError(XuanpinError):
    """Report a cluster that can't be used (exit code 6)."""

    exit_code: ClassVar[int] = 6


class DaskMissingError(ClusterError):
    """Refuse to train on a cluster without the packages that talk to it."""

    def __init__(self) -> None:
        super().__init__(
            expected="the packages dask and distributed",
            found="none",
            way_out='Install the extra: pip install "xuanpin[dask]". Or train on this machine.',
        )


class SchedulerUnreachableError(ClusterError):
    """Report a scheduler that doesn't answer."""

    def __init__(self, address: str, *, seconds: float, reason: str) -> None:
        super().__init__(
            expected=f"a Dask scheduler at {address}",
            found=f"no answer within {seconds:g} s ({reason})",
            way_out="Check the address and that `dask scheduler` runs there.",
        )


class NoWorkersError(ClusterError):
    """Report a scheduler without a single worker."""

    def __init__(self, address: str, *, seconds: float) -> None:
        super().__init__(
            expected=f"at least one worker of the scheduler at {address}",
            found=f"none within {seconds:g} s",
            way_out=f"Start one with `dask worker {address} --nthreads 1`.",
        )


class SchedulerLostError(ClusterError):
    """Report a scheduler that went away while boosters were fitted."""

    def __init__(self) -> None:
        super().__init__(
            expected="the scheduler to answer until the boosters are fitted",
            found="no answer any more",
            way_out="See its log, and start it and its workers again. Then train again.",
        )


class WorkerLostError(ClusterError):
    """Report workers that went away while boosters were fitted: every one holds some rows."""

    def __init__(self, lost: Collection[str], *, workers: int) -> None:
        named = ", ".join(sorted(lost)[:_MAX_NAMED]) or "one that kept dying"
        more = len(lost) - _MAX_NAMED
        super().__init__(
            expected=f"all {workers} workers until the boosters are fitted",
            found=f"lost {named}" + (f" and {more} more" if more > 0 else ""),
            way_out="See the worker's log: it may want more memory. Then train again.",
        )


class RowsUnreachableError(ClusterError):
    """Refuse a path of training rows that a worker can't read."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            expected=f"training rows at {path}, for every worker to read",
            found=reason,
            way_out="Put them where all workers see them under the same path.",
        )


class OtherRowsError(ClusterError):
    """Refuse a file whose rows aren't those that the training was divided by."""

    def __init__(self, path: str, *, expected: str, found: str) -> None:
        super().__init__(
            expected=f"{expected} in {path}",
            found=found,
            way_out="Write the training rows again, and let nothing change them meanwhile.",
        )
