"""Sum the outcomes by day, for comparison with the expectations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.simulator.configuration.clock import DAY_US, Clock
from experiments.simulator.outcomes.orders import OrderLines
from experiments.simulator.outcomes.returns import ReturnedLines
from features.dataset.horizons import Horizons
from features.runtime.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Outcomes:
    """Units sold and units returned in time, summed over the days of ordering before each day."""

    sold: FloatArray
    returned: FloatArray


def sum_outcomes(
    clock: Clock, rows: int, lines: OrderLines, returned: ReturnedLines, horizons: Horizons
) -> Outcomes:
    """Return the outcomes of the rows of a plan."""
    wait = returned.time - lines.delivered[returned.line]
    is_in_time = wait <= horizons.return_window_days * DAY_US
    back = np.zeros(lines.units.size)
    back[returned.line] = returned.units * is_in_time
    cell = lines.row * clock.days + lines.day
    return Outcomes(
        sold=_cumulate_by_day(cell, lines.units.astype(np.float64), rows, clock.days),
        returned=_cumulate_by_day(cell, back, rows, clock.days),
    )


def _cumulate_by_day(cell: IntArray, units: FloatArray, rows: int, days: int) -> FloatArray:
    sums = np.bincount(cell, weights=units, minlength=rows * days).reshape(rows, days)
    return np.cumsum(np.c_[np.zeros(rows), sums], axis=1)


def sum_horizon(
    clock: Clock, cumulated: FloatArray, row: IntArray, day: IntArray, horizon_days: int
) -> tuple[FloatArray, BoolArray]:
    """Return the units of each horizon, and whether the horizon is over."""
    stop = np.minimum(day + horizon_days, clock.days)
    return cumulated[row, stop] - cumulated[row, day], day + horizon_days <= clock.days
