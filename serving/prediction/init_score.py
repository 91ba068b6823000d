"""Start the trees of a target from a number of each row, which they only correct.

Trees can't use more evidence than their training rows had, and a young market's rows have little;
a formula with a few learned numbers can. So the trees of return risk correct the expected return
rate: its log odds are an offset in the fit and in each prediction. The choice and its measurements:
docs/decisions/init-score.md.

The trees of sell-through learn demand. The logarithm of the lot, taken from that of demand, gives
the margin that a share is computed from (serving/demand/lot_demand.py), so it is their offset.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from features.declarations.return_expectation import NAME
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.demand.lot_demand import log_lot

LOT: Final = "units_offered"
ORDER_SIZE: Final = "order_size_84d"
MIN_INIT_SHARE: Final = 1e-3
"""Trees start no nearer to 0 or 1, because they could hardly move away from there."""


def init_score(target: Target, matrix: FloatArray, names: Sequence[str]) -> FloatArray:
    """Return the margin that each row's trees start from, shape (rows,).

    `matrix` has shape (rows, names). Log odds for return risk, minus the logarithm of the widened
    lot for sell-through.
    """
    if target == "return_risk":
        share = np.clip(matrix[:, names.index(NAME)], MIN_INIT_SHARE, 1 - MIN_INIT_SHARE)
        return np.asarray(np.log(share) - np.log1p(-share), np.float64)
    lot, order_size = (matrix[:, names.index(name)] for name in (LOT, ORDER_SIZE))
    return -log_lot(lot, order_size)
