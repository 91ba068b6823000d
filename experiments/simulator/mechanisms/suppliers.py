"""Draw suppliers: quality, lead time, reliability, and audits that show them with noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.arrays import logistic
from experiments.simulator.configuration.clock import DAY_US, sort_columns
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.identifiers import format_ids
from experiments.simulator.configuration.randomness import generator
from features.runtime.arrays import FloatArray, IntArray

MEAN_SCORE: Final = 0.6
SCORE_SLOPE: Final = 0.9
"""Log odds of an audit's score: of the mean supplier, and a standard deviation of quality."""
DEFECT_SLOPE: Final = 0.5
"""Log odds of a defect that a standard deviation of quality removes."""


@dataclass(frozen=True)
class Suppliers:
    """All suppliers: quality in standard deviations, lead time and mean delay in days."""

    quality: FloatArray
    lead_days: FloatArray
    delay_days: FloatArray

    @property
    def names(self) -> pa.Array:
        """Return the identifiers of all suppliers."""
        return supplier_names(np.arange(self.quality.size))


def supplier_names(numbers: IntArray) -> pa.Array:
    """Return the identifiers of suppliers."""
    return format_ids("S", (numbers, 6))


def draw_suppliers(market: Simulation) -> Suppliers:
    """Draw all suppliers of the market; better ones are more reliable."""
    sizes = market.suppliers
    count = max(3, round(market.products / sizes.products_each))
    rng = generator(market.seed, "suppliers")
    quality = rng.standard_normal(count)
    is_fast = rng.random(count) < sizes.fast_share
    reliability = rng.standard_normal(count)
    return Suppliers(
        quality=quality,
        lead_days=np.where(is_fast, sizes.fast_lead_days, sizes.slow_lead_days),
        delay_days=sizes.delay_days * np.exp(0.4 * reliability - 0.2 * quality),
    )


def audit_rows(market: Simulation, suppliers: Suppliers) -> dict[str, pa.Array]:
    """Return the audits of all suppliers: noisy observations of quality, defects and lead time."""
    sizes = market.suppliers
    rng = generator(market.seed, "audits")
    count = rng.poisson(sizes.audits_a_year * market.days / 365, suppliers.quality.size) + 1
    supplier = np.repeat(np.arange(suppliers.quality.size), count)
    observed = suppliers.quality[supplier] + sizes.audit_noise * rng.standard_normal(supplier.size)
    time = rng.integers(0, market.days * DAY_US, supplier.size)
    inspected = np.full(supplier.size, round(sizes.inspected_units))
    usual = np.log(sizes.defect_rate / (1 - sizes.defect_rate))
    odds = usual - DEFECT_SLOPE * suppliers.quality[supplier]
    lead = suppliers.lead_days[supplier] + rng.exponential(suppliers.delay_days[supplier])
    columns = {
        "supplier": supplier,
        "score": logistic(MEAN_SCORE + SCORE_SLOPE * observed),
        "inspected": inspected,
        "defective": rng.binomial(inspected, logistic(odds)),
        "lead": np.round(np.minimum(lead, 365), 1),
        "time": time,
    }
    ordered = sort_columns(columns, "time")
    return {
        "supplier_id": supplier_names(ordered["supplier"]),
        "score": pa.array(np.round(ordered["score"], 3)),
        "inspected_units": pa.array(ordered["inspected"]),
        "defective_units": pa.array(ordered["defective"]),
        "lead_time_days": pa.array(ordered["lead"]),
        "event_time": pa.array(ordered["time"]),
    }
