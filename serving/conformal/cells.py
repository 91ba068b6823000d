"""Cells of the conformal intervals: how much evidence a listing has of its own, and its market.

The cells are a tree: all rows, those of one level of own evidence, and of these the rows of one
market. Residuals are learned for every node with enough listings; a row rests on the narrowest such
node above it, so small cells and unseen markets merge upward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, FloatArray, IntArray

MondrianCell = tuple[str, ...]
"""A node of the tree, as its path from the root: `()`, `("some",)` or `("some", "DE")`."""

ROOT: Final[MondrianCell] = ()

OWN_HISTORY: Final = ("units_ordered_84d", "units_offered_180d", "units_ripe_180d")
"""Base features of the listing itself; any of them above 0 is a history of its own."""

OWN_ORDERED: Final = ("units_ordered_84d", "units_ripe_180d")
"""Of these, the counts of units that buyers ordered, lately or long enough ago to be kept."""

MUCH_UNITS: Final = 50
"""From here on a listing's own units say more of its shares than those of its relatives do."""


class OwnEvidence(StrEnum):
    """How much is known of the listing itself at `as_of`, from least to most."""

    NONE = "none"
    """A cold start: nothing was ordered or offered before."""
    SOME = "some"
    MUCH = "much"
    """At least `MUCH_UNITS` were ordered."""


EVIDENCE_AMOUNTS: Final = tuple(OwnEvidence)


def is_cold_start(columns: Mapping[str, FloatArray]) -> BoolArray:
    """Tell for each row whether the listing has no history of its own at `as_of`.

    `columns` holds base features by name, each of shape (rows,). Null counts as no history.
    """
    ordered, offered, ripe = (np.nan_to_num(columns[name]) > 0 for name in OWN_HISTORY)
    return ~(ordered | offered | ripe)


def own_evidence(columns: Mapping[str, FloatArray]) -> IntArray:
    """Return each row's index in `EVIDENCE_AMOUNTS`, shape (rows,); null counts as 0."""
    ordered = np.maximum(*(np.nan_to_num(columns[name]) for name in OWN_ORDERED))
    known = np.where(ordered >= MUCH_UNITS, EVIDENCE_AMOUNTS.index(OwnEvidence.MUCH), 1)
    return np.where(is_cold_start(columns), EVIDENCE_AMOUNTS.index(OwnEvidence.NONE), known)


def cell_codes(columns: Mapping[str, FloatArray], market_codes: IntArray) -> IntArray:
    """Return the place of each row's own cell among `leaf_cells` the markets, shape (rows,).

    Training and serving both assign cells with this function.
    """
    return market_codes * len(EVIDENCE_AMOUNTS) + own_evidence(columns)


def leaf_cells(markets: Sequence[str]) -> tuple[MondrianCell, ...]:
    """Return the narrowest cells of some markets, in the order that `cell_codes` counts them."""
    return tuple((level.value, market) for market in markets for level in EVIDENCE_AMOUNTS)


def ancestors(cell: MondrianCell) -> tuple[MondrianCell, ...]:
    """Return a cell and those above it, from the narrowest to all rows."""
    return tuple(cell[:depth] for depth in range(len(cell), -1, -1))


@dataclass(frozen=True)
class IntervalContext:
    """The cells and units of some rows."""

    codes: IntArray
    """Place of each row's own cell in `cells`, shape (rows,)."""
    cells: tuple[MondrianCell, ...]
    exposure: FloatArray
    """How many units each row's share is of, as known at `as_of`; at least 1, shape (rows,)."""

    @property
    def evidence(self) -> IntArray:
        """Return the place of each row's own evidence in `EVIDENCE_AMOUNTS`, shape (rows,)."""
        return self.codes % len(EVIDENCE_AMOUNTS)

    def select(self, picked: BoolArray | IntArray) -> IntervalContext:
        """Return the rows that a mask or positions pick."""
        return IntervalContext(self.codes[picked], self.cells, self.exposure[picked])


def build_interval_context(
    markets: Sequence[str], columns: Mapping[str, FloatArray], exposure: FloatArray
) -> IntervalContext:
    """Return the footing of rows in markets given one by one."""
    places = {market: place for place, market in enumerate(dict.fromkeys(markets))}
    codes = np.array([places[market] for market in markets], dtype=np.int64)
    return IntervalContext(cell_codes(columns, codes), leaf_cells(tuple(places)), exposure)


def share_exposure(target: Target, offered: FloatArray, sell_through: FloatArray) -> FloatArray:
    """Return how many units a target is a share of, as far as that is known beforehand.

    Sell-through is a share of the units offered. Return risk is one of the units ordered, of
    which only the estimate, sell-through x units offered, is known. At least 1: there is no
    return risk without an order.
    """
    expected = offered * sell_through if target == "return_risk" else offered
    return np.fmax(expected, 1.0)
