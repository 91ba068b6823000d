"""Cells of the conformal intervals: candidates with a history of their own, and without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from features.declarations import FloatArray

BoolArray = npt.NDArray[np.bool_]

OWN_HISTORY: Final = ("units_ordered_84d", "units_offered_180d", "units_ripe_180d")
"""Base features of the listing itself; any of them above 0 is a history of its own."""


def is_cold_start(columns: Mapping[str, FloatArray]) -> BoolArray:
    """Tell for each row whether the listing has no history of its own at `as_of`.

    `columns` holds base features by name, each of shape (rows,). Null counts as no history.
    Training and serving both assign cells with this function.
    """
    ordered, offered, ripe = (np.nan_to_num(columns[name]) > 0 for name in OWN_HISTORY)
    return ~(ordered | offered | ripe)
