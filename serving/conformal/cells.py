"""Mondrian cells of the conformal intervals: a listing's own evidence, and its market.

The cells are a tree: all rows, the rows of one amount of own evidence, and of these the rows of one
market. Every node with enough listings has residuals of its own. A row uses the narrowest such node
above it, so that small cells and unseen markets merge upward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray

MondrianCell = tuple[str, ...]
"""A node of the tree, as its path from the root: `()`, `("some",)` or `("some", "DE")`."""

ROOT: Final[MondrianCell] = ()

OWN_HISTORY: Final = ("units_ordered_84d", "units_offered_180d", "units_ripe_180d")
"""Base features of the listing itself; it has a history of its own if any of them is above 0."""

OWN_ORDERED: Final = ("units_ordered_84d", "units_ripe_180d")
"""Those of them that count ordered units."""

MUCH_UNITS: Final = 50
"""From here on a listing's own units are better evidence than the units of related listings."""


class OwnEvidence(StrEnum):
    """How much is known of the listing itself at `as_of`, from least to most."""

    NONE = "none"
    """A cold start: nothing was ordered or offered before."""
    SOME = "some"
    MUCH = "much"
    """At least `MUCH_UNITS` were ordered."""


EVIDENCE_AMOUNTS: Final = tuple(OwnEvidence)


def is_cold_start(columns: Mapping[str, FloatArray]) -> BoolArray:
    """Return True for rows whose listing has no history of its own at `as_of`.

    `columns` holds base features by name, each of shape (rows,). Null counts as no history.
    """
    ordered, offered, mature = (columns[name] > 0 for name in OWN_HISTORY)  # NaN is not above 0
    return ~(ordered | offered | mature)


def own_evidence(columns: Mapping[str, FloatArray]) -> IntArray:
    """Return each row's index in `EVIDENCE_AMOUNTS`, shape (rows,); null counts as 0."""
    ordered = np.fmax(*(columns[name] for name in OWN_ORDERED))
    known = np.where(ordered >= MUCH_UNITS, EVIDENCE_AMOUNTS.index(OwnEvidence.MUCH), 1)
    return np.where(is_cold_start(columns), EVIDENCE_AMOUNTS.index(OwnEvidence.NONE), known)


def cell_codes(columns: Mapping[str, FloatArray], market_codes: IntArray) -> IntArray:
    """Return the index of each row's cell in the `leaf_cells` of the markets, shape (rows,).

    Training and serving both assign cells with this function.
    """
    return market_codes * len(EVIDENCE_AMOUNTS) + own_evidence(columns)


def leaf_cells(markets: Sequence[str]) -> tuple[MondrianCell, ...]:
    """Return the narrowest cells of some markets, in the order of `cell_codes`."""
    return tuple((amount.value, market) for market in markets for amount in EVIDENCE_AMOUNTS)


def ancestors(cell: MondrianCell) -> tuple[MondrianCell, ...]:
    """Return a cell and those above it, from the narrowest to all rows."""
    return tuple(cell[:depth] for depth in range(len(cell), -1, -1))


@dataclass(frozen=True)
class IntervalContext:
    """What the intervals of some rows depend on beside the estimate: cell and exposure."""

    codes: IntArray
    """Index of each row's own cell in `cells`, shape (rows,)."""
    cells: tuple[MondrianCell, ...]
    exposure: FloatArray
    """Units that each row's share is of, as known at `as_of`; at least 1, shape (rows,).

    Only intervals in a difficulty (difficulty.py) read it: those of return risk, not those of the
    demand behind sell-through.
    """

    @property
    def evidence(self) -> IntArray:
        """Return the index of each row's own evidence in `EVIDENCE_AMOUNTS`, shape (rows,)."""
        return self.codes % len(EVIDENCE_AMOUNTS)

    def select(self, rows: BoolArray | IntArray) -> IntervalContext:
        """Return the rows of a mask or of positions."""
        return IntervalContext(self.codes[rows], self.cells, self.exposure[rows])


def build_interval_context(
    markets: Sequence[str], columns: Mapping[str, FloatArray], exposure: FloatArray
) -> IntervalContext:
    """Return the interval context of rows; `markets` names the market of each of them."""
    market_codes = {market: code for code, market in enumerate(dict.fromkeys(markets))}
    codes = np.array([market_codes[market] for market in markets], dtype=np.int64)
    return IntervalContext(cell_codes(columns, codes), leaf_cells(tuple(market_codes)), exposure)


def expected_orders(offered: FloatArray, sell_through: FloatArray) -> FloatArray:
    """Return the units that are expected to be ordered of a lot, shape (rows,).

    They are the exposure of return risk. At least 1: without an order there is no return risk.
    """
    return np.fmax(offered * sell_through, 1.0)
