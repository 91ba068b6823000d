"""Times of two ways to the same thing, taken in turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeVar

from experiments.benchmarks.features.figures import ElapsedTime
from experiments.benchmarks.features.growth import MedianRange

Result = TypeVar("Result")


@dataclass(frozen=True)
class TimingPair:
    """What ours took and what the bare library took for the same trees, once each."""

    ours: ElapsedTime
    bare: ElapsedTime


@dataclass(frozen=True)
class TimingComparison:
    """All runs of a comparison, and whether both made the same trees in each."""

    name: str
    trees: int
    rows: int
    inputs: int
    pairs: tuple[TimingPair, ...]

    @property
    def ratio(self) -> MedianRange:
        """Return our wall time over the bare one."""
        return MedianRange.of([one.ours.seconds / one.bare.seconds for one in self.pairs])

    @property
    def cpu_ratio(self) -> MedianRange:
        """Return our time of the processors over the bare one."""
        return MedianRange.of([one.ours.cpu_seconds / one.bare.cpu_seconds for one in self.pairs])


@dataclass(frozen=True)
class Stopwatch:
    """Readings of both clocks at once; the processors' counts all threads of this process."""

    seconds: float
    cpu_seconds: float

    @classmethod
    def now(cls) -> Self:
        """Read the clocks."""
        return cls(time.perf_counter(), time.process_time())

    def elapsed(self) -> ElapsedTime:
        """Return what has passed since."""
        later = Stopwatch.now()
        return ElapsedTime(later.seconds - self.seconds, later.cpu_seconds - self.cpu_seconds)


def time_call(work: Callable[[], Result]) -> tuple[Result, ElapsedTime]:
    """Do some work; return its result and what it took."""
    start = Stopwatch.now()
    result = work()
    return result, start.elapsed()


class DifferentTreesError(AssertionError):
    """Refuse to compare times of two ways that didn't grow the same trees."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: ours and the bare library's boosters differ")


def time_in_turns(
    name: str,
    ours: Callable[[], tuple[Result, ElapsedTime]],
    bare: Callable[[], tuple[Result, ElapsedTime]],
    repeats: int,
) -> tuple[TimingPair, ...]:
    """Time both ways as often as asked; the one that goes first changes with every run.

    Raises:
        DifferentTreesError: they don't come to the same result.
    """
    pairs = []
    for number in range(repeats):
        if number % 2:
            theirs, theirs_took = bare()
            result, took = ours()
        else:
            result, took = ours()
            theirs, theirs_took = bare()
        if result != theirs:
            raise DifferentTreesError(name)
        pairs.append(TimingPair(took, theirs_took))
    return tuple(pairs)
