"""Late knowledge: each table has its own delay before events are known, and some backfill."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from experiments.simulator.configuration.clock import DAY_US, HOUR_US
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.parameters import Delay
from experiments.simulator.configuration.randomness import generator
from features.runtime.arrays import BoolArray, IntArray

MOMENT = pa.timestamp("us")


def draw_availability(
    market: Simulation, table: str, event: IntArray, *, chunk: int = 0
) -> tuple[IntArray, BoolArray]:
    """Draw when each event becomes known, and whether that is before the export.

    `event` is in microseconds from the first day's midnight.
    """
    sizes: Delay = getattr(market.knowledge, table)
    rng = generator(market.seed, f"knowledge of {table}", chunk)
    delay = rng.exponential(sizes.hours * HOUR_US, event.size)
    is_backfilled = rng.random(event.size) < sizes.backfill_share
    delay += is_backfilled * rng.exponential(sizes.backfill_days * DAY_US, event.size)
    available = event + delay.astype(np.int64)
    return available, available <= market.days * DAY_US


def to_timestamps(market: Simulation, time: npt.NDArray[np.int64]) -> pa.Array:
    """Return times since the first day's midnight as timestamps (UTC)."""
    return pa.array(time + market.first_day * DAY_US, pa.int64()).cast(MOMENT)


def add_availability(
    market: Simulation, table: str, columns: dict[str, pa.Array], *, chunk: int = 0
) -> pa.Table:
    """Return the rows known at the export, with `event_time` and `available_at` as timestamps."""
    event = columns["event_time"].to_numpy()
    available, is_known = draw_availability(market, table, event, chunk=chunk)
    with_times = {
        **columns,
        "event_time": to_timestamps(market, event),
        "available_at": to_timestamps(market, available),
    }
    return pa.table(with_times).filter(pa.array(is_known))
