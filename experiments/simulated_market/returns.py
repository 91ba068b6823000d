"""Returns: which units come back, why and when."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulated_market.arrays import FloatArray, choose
from experiments.simulated_market.clock import DAY_US, in_order
from experiments.simulated_market.configuration import Simulation
from experiments.simulated_market.identifiers import named
from experiments.simulated_market.orders import Lines
from experiments.simulated_market.randomness import generator
from experiments.simulated_market.return_risk import DELAY_SHAPE, MOST_RATE

REASONS: Final = (
    "changed_mind",
    "defective",
    "not_as_described",
    "does_not_fit",
    "wrong_plug",
    "arrived_late",
)


def return_rows(
    market: Simulation,
    lines: Lines,
    rate: FloatArray,
    *,
    missing: dict[str, FloatArray],
    chunk: int,
) -> dict[str, pa.Array]:
    """Draw the returns of order lines; `rate` and `missing` are values a line."""
    rng = generator(market.seed, "returns", chunk)
    lift = np.where(lines.is_late, market.logistics.late_return_lift, 1.0)
    back = rng.binomial(lines.units, np.minimum(rate * lift, MOST_RATE))
    delay = rng.gamma(DELAY_SHAPE, market.returns.delay_days / DELAY_SHAPE, lines.units.size)
    weights = _reason_weights(market, lines, missing)
    reason = choose(rng, weights)
    is_back = back > 0
    columns = {
        "line": np.flatnonzero(is_back),
        "units": back[is_back],
        "reason": reason[is_back],
        "time": (lines.delivered + (delay * DAY_US).astype(np.int64))[is_back],
    }
    ordered = in_order(columns, "time", "line")
    return {
        "line": ordered["line"],
        "units": pa.array(ordered["units"]),
        "reason": named(REASONS, ordered["reason"]),
        "event_time": pa.array(ordered["time"]),
    }


def _reason_weights(
    market: Simulation, lines: Lines, missing: dict[str, FloatArray]
) -> FloatArray:
    """Return how likely each reason is: each cause adds what it adds to the odds."""
    sizes = market.localisation
    fit = np.expm1(sizes.strength * sizes.size_chart_returns * missing["size_chart"])
    plug = np.expm1(sizes.strength * sizes.plug_returns * missing["plug_voltage"])
    language = np.expm1(sizes.strength * sizes.language_returns * missing["language"])
    late = (market.logistics.late_return_lift - 1) * lines.is_late
    defects = 0.3 * np.exp(-0.5 * lines.quality)
    is_sized = 0.4 * lines.is_sized
    return np.stack([np.full(late.size, 0.35), defects, 0.2 + language, is_sized + fit, plug, late], axis=1)
