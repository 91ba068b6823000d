"""What an interval rests on beside its estimate: the row's cell, and the units it is a share of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.cells import LEVELS, Cell, cell_codes, cells_of


@dataclass(frozen=True)
class Footing:
    """The cells and units of some rows."""

    codes: IntArray
    """Place of each row's own cell in `cells`, shape (rows,)."""
    cells: tuple[Cell, ...]
    units: FloatArray
    """How many units each row's share is of, as known at `as_of`; at least 1, shape (rows,)."""

    @property
    def evidence(self) -> IntArray:
        """Return the place of each row's own evidence in `serving.cells.LEVELS`, shape (rows,)."""
        return self.codes % len(LEVELS)

    def where(self, picked: BoolArray | IntArray) -> Footing:
        """Return the rows that a mask or positions pick."""
        return Footing(self.codes[picked], self.cells, self.units[picked])


def footing_in(
    markets: Sequence[str], columns: Mapping[str, FloatArray], units: FloatArray
) -> Footing:
    """Return the footing of rows in markets given one by one."""
    places = {market: place for place, market in enumerate(dict.fromkeys(markets))}
    codes = np.array([places[market] for market in markets], dtype=np.int64)
    return Footing(cell_codes(columns, codes), cells_of(tuple(places)), units)


def share_units(target: Target, offered: FloatArray, sell_through: FloatArray) -> FloatArray:
    """Return how many units a target is a share of, as far as that is known beforehand.

    Sell-through is a share of the units offered. Return risk is one of the units ordered, of
    which only the estimate, sell-through x units offered, is known. At least 1: there is no
    return risk without an order.
    """
    expected = offered * sell_through if target == "return_risk" else offered
    return np.fmax(expected, 1.0)
