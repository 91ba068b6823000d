"""Rows of a demand, picked by their positions."""

from __future__ import annotations

import numpy as np

from features.runtime.arrays import IntArray
from serving.demand.lot_demand import LotDemand


def pick(demand: LotDemand, rows: IntArray) -> LotDemand:
    """Return the rows at some positions, in their order."""
    chance = np.broadcast_to(demand.chance, demand.demand.shape)[rows]
    return LotDemand(
        demand.demand[rows], demand.lot[rows], demand.order_size[rows], demand.sharpness, chance
    )
