"""How a cost grows with the size of what it is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

import numpy as np


@dataclass(frozen=True)
class MedianRange:
    """A figure measured several times: its median, least and greatest value."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Self:
        """Sum up figures of the same thing."""
        return cls(median(figures), min(figures), max(figures))


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float | None:
    """Return the b of `cost = a * size ** b`: the least-squares slope of logs over logs.

    1 is proportional growth. None below two different sizes, for which there is no slope.
    """
    if len(set(sizes)) < 2:  # noqa: PLR2004 - two points make a line
        return None
    slope, _ = np.polyfit(np.log(sizes), np.log(costs), 1)
    return float(slope)
