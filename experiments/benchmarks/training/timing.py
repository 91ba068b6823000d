"""Time two ways to the same boosters, in turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from experiments.benchmarks.results.figures import ElapsedTime, MedianRange

Result = TypeVar("Result")


@dataclass(frozen=True)
class TimingPair:
    """The times of the product and of the bare library for the same trees, in one run."""

    product: ElapsedTime
    bare: ElapsedTime


@dataclass(frozen=True)
class TimingComparison:
    """All runs of a comparison; in each of them both ways grow the same trees."""

    name: str
    trees: int
    rows: int
    inputs: int
    pairs: tuple[TimingPair, ...]

    @property
    def ratio(self) -> MedianRange:
        """Return the product's wall time over the bare library's."""
        return MedianRange.from_values(
            [pair.product.seconds / pair.bare.seconds for pair in self.pairs]
        )

    @property
    def cpu_ratio(self) -> MedianRange:
        """Return the product's processor time over the bare library's."""
        return MedianRange.from_values(
            [pair.product.cpu_seconds / pair.bare.cpu_seconds for pair in self.pairs]
        )


class DifferentTreesError(AssertionError):
    """Refuse to compare the times of two ways that grow different trees."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: the product's boosters differ from the bare library's")


def time_in_turns(
    name: str,
    product: Callable[[], tuple[Result, ElapsedTime]],
    bare: Callable[[], tuple[Result, ElapsedTime]],
    repeats: int,
) -> tuple[TimingPair, ...]:
    """Time both ways `repeats` times; the way that goes first changes with every run.

    Raises:
        DifferentTreesError: the results differ.
    """
    pairs = []
    for number in range(repeats):
        if number % 2:
            bare_result, bare_time = bare()
            result, product_time = product()
        else:
            result, product_time = product()
            bare_result, bare_time = bare()
        if result != bare_result:
            raise DifferentTreesError(name)
        pairs.append(TimingPair(product_time, bare_time))
    return tuple(pairs)
