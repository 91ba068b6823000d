"""Compare what a candidate asks with the ranges of prices and lots that models learned from.

Beyond the last split of a tree every price gets the same prediction, so an answer on a price ten
times the highest one is a guess. Demand answers for any lot, but nobody has seen what it leaves of
one ten times the largest. Such answers are given, and flagged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from features.runtime.arrays import FloatArray

RANGED_INPUTS: Final[Mapping[str, str]] = {
    "units_offered": "units_offered",
    "list_price_minor": "list_price_minor",
    "relative_price_category_market_84d": "list_price_minor",
}
"""Model input to the field of a request that decides it."""
MARGIN: Final = 3.0
"""A value so many times outside what is usual is out of range."""


class UsualRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The values of an input in nearly all rows of a market that models learned from."""

    low: float
    high: float


LearnedRanges = Mapping[str, Mapping[str, UsualRange]]
"""Market, then model input, to its usual range; an input without values has none."""


def find_out_of_range(
    ranges: LearnedRanges, matrix: FloatArray, names: Sequence[str], markets: Sequence[str]
) -> list[tuple[str, ...]]:
    """Return the fields of each row that lie far outside the usual range of its market.

    `matrix` has shape (rows, names). A market or an input without a range has no limits.
    """
    distinct = {market: index for index, market in enumerate(dict.fromkeys(markets))}
    limits = np.array([_limits(ranges.get(market, {})) for market in distinct])
    low, high = limits[[distinct[market] for market in markets]].transpose(1, 0, 2)
    values = np.column_stack([matrix[:, names.index(name)] for name in RANGED_INPUTS])
    is_outside = (values < low) | (values > high)
    fields = tuple(RANGED_INPUTS.values())
    rows: list[tuple[str, ...]] = [()] * len(markets)
    for row in np.flatnonzero(is_outside.any(axis=1)).tolist():
        outside = zip(fields, is_outside[row], strict=True)
        rows[row] = tuple(dict.fromkeys(field for field, is_out in outside if is_out))
    return rows


def _limits(usual: Mapping[str, UsualRange]) -> tuple[list[float], list[float]]:
    """Return the lowest and the highest value of each ranged input that isn't out of range."""
    everything = UsualRange(-np.inf, np.inf)
    ranges = [usual.get(name, everything) for name in RANGED_INPUTS]
    return [one.low / MARGIN for one in ranges], [one.high * MARGIN for one in ranges]
