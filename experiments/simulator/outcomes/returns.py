"""Draw returns: which units come back, with reason and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.simulator.configuration.arrays import choose
from experiments.simulator.configuration.clock import DAY_US, sort_columns
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.plan import ChunkPlan, World
from experiments.simulator.mechanisms.return_risk import DELAY_SHAPE, MAX_RATE
from experiments.simulator.outcomes.orders import OrderLines
from features.runtime.arrays import FloatArray, IntArray

REASONS: Final = (
    "changed_mind",
    "defective",
    "not_as_described",
    "does_not_fit",
    "wrong_plug",
    "arrived_late",
)


@dataclass(frozen=True)
class ReturnedLines:
    """Returned order lines in order of time; `line` is an index into the order lines."""

    line: IntArray
    units: IntArray
    reason: IntArray
    time: IntArray


def draw_returns(world: World, plan: ChunkPlan, lines: OrderLines, *, chunk: int) -> ReturnedLines:
    """Draw the returned units of each order line, independently, with reason and time."""
    market = world.market
    rng = generator(market.seed, "returns", chunk)
    rate = plan.return_rate[lines.row, lines.day]
    lift = np.where(lines.is_late, market.logistics.late_return_lift, 1.0)
    back = rng.binomial(lines.units, np.minimum(rate * lift, MAX_RATE))
    delay = rng.gamma(DELAY_SHAPE, market.returns.delay_days / DELAY_SHAPE, lines.units.size)
    missing = {name: gap[lines.row, lines.day] for name, gap in plan.missing.items()}
    reason = choose(rng, _reason_weights(market, lines, missing))
    line = np.flatnonzero(back > 0)
    columns = {
        "line": line,
        "units": back[line],
        "reason": reason[line],
        "time": (lines.delivered + (delay * DAY_US).astype(np.int64))[line],
    }
    return ReturnedLines(**sort_columns(columns, "time", "line"))


def _reason_weights(
    market: Simulation, lines: OrderLines, missing: dict[str, FloatArray]
) -> FloatArray:
    """Return a weight for each reason: its cause's part of the odds of a return."""
    sizes = market.localisation
    fit = np.expm1(sizes.strength * sizes.size_chart_returns * missing["size_chart"])
    plug = np.expm1(sizes.strength * sizes.plug_returns * missing["plug_voltage"])
    language = np.expm1(sizes.strength * sizes.language_returns * missing["language"])
    late = (market.logistics.late_return_lift - 1) * lines.is_late
    defects = 0.3 * np.exp(-0.5 * lines.quality)
    is_sized = 0.4 * lines.is_sized
    return np.stack(
        [np.full(late.size, 0.35), defects, 0.2 + language, is_sized + fit, plug, late], axis=1
    )
