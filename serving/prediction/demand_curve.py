"""Turn the sum of a booster's trees into a demand in units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray
from serving.demand.lot_demand import LotDemand
from serving.errors import BrokenFileError

MIN_SHARPNESS: Final = 0.2
MAX_SHARPNESS: Final = 10.0
MAX_STRETCH: Final = 20.0
MIN_CHANCE: Final = 0.01
MAX_LOG_DEMAND: Final = 30.0
"""Logarithms of demand are kept within this distance of 0."""


@dataclass(frozen=True)
class DemandCurve:
    """A line from sums of trees to the logarithm of demand, and the form of its distribution."""

    shift: float
    stretch: float
    sharpness: float
    chance: float = 1.0
    """The probability that anything is wanted at all."""

    def __post_init__(self) -> None:
        """Refuse numbers that don't make a demand.

        Raises:
            BrokenFileError: a number is out of its bounds, or isn't finite.
        """
        faults = {
            "a shift that isn't finite": not np.isfinite(self.shift),
            f"a stretch outside 0 to {MAX_STRETCH:g}": not 0 <= self.stretch <= MAX_STRETCH,
            f"a sharpness outside {MIN_SHARPNESS:g} to {MAX_SHARPNESS:g}": not (
                MIN_SHARPNESS <= self.sharpness <= MAX_SHARPNESS
            ),
            f"a chance outside {MIN_CHANCE:g} to 1": not MIN_CHANCE <= self.chance <= 1,
        }
        for fault, is_present in faults.items():
            if is_present:
                raise BrokenFileError("a demand curve", f"it has {fault}")

    def apply(
        self, raw: FloatArray, lot: FloatArray, order_size: FloatArray, *, uplift: FloatArray
    ) -> LotDemand:
        """Return the demand for lots from sums of trees; all arrays have shape (rows,).

        `uplift` is the demand that a calendar expects, as a multiple of the usual one.
        """
        logs = self.shift + self.stretch * raw + np.log(uplift)
        demand = np.exp(np.clip(logs, -MAX_LOG_DEMAND, MAX_LOG_DEMAND))
        return LotDemand(demand, lot, order_size, self.sharpness, self.chance)
