"""Repeated figures with their range, and times on the wall and of the processors."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class MedianRange:
    """A figure measured several times: its median, least and greatest value."""

    median: float
    least: float
    greatest: float

    @classmethod
    def from_values(cls, values: Sequence[float]) -> Self:
        """Summarise repeated values of one figure."""
        return cls(median(values), min(values), max(values))

    def format(self, form: str) -> str:
        """Return the median, and the range unless all values are equal; `form` is one number's."""
        middle = form.format(self.median)
        if self.least == self.greatest:
            return middle
        return f"{middle} ({form.format(self.least)} to {form.format(self.greatest)})"


@dataclass(frozen=True)
class ElapsedTime:
    """Wall time, and processor time of all threads: the steadier one on a shared machine."""

    seconds: float
    cpu_seconds: float


def time_call(work: Callable[[], Result]) -> tuple[Result, ElapsedTime]:
    """Return what `work` returns, and the time it takes."""
    start, cpu_start = time.perf_counter(), time.process_time()
    result = work()
    return result, ElapsedTime(time.perf_counter() - start, time.process_time() - cpu_start)
