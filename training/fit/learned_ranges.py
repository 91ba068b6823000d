"""Learn which prices and lots are usual in a market, from the rows that models learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray
from serving.prediction.learned_ranges import RANGED_INPUTS, UsualRange

QUANTILES: Final = (0.01, 0.99)
"""A mistyped price or lot in one of a hundred rows doesn't make it usual."""


def learn_ranges(
    matrix: FloatArray, names: Sequence[str], markets: Sequence[str]
) -> dict[str, dict[str, UsualRange]]:
    """Return the usual range of each ranged input in each market.

    `matrix` holds the rows that the models learned from, shape (rows, names), and `markets` has one
    entry a row.
    """
    market_of_row = np.array(markets)
    return {
        market: _market_ranges(matrix[market_of_row == market], names)
        for market in sorted(set(markets))
    }


def _market_ranges(matrix: FloatArray, names: Sequence[str]) -> dict[str, UsualRange]:
    columns = {name: matrix[:, names.index(name)] for name in RANGED_INPUTS}
    known = {name: column[~np.isnan(column)] for name, column in columns.items()}
    return {
        name: UsualRange(*np.quantile(values, QUANTILES, method="inverted_cdf").tolist())
        for name, values in known.items()
        if values.size
    }
