"""Inputs of rows for the lot that was asked and for smaller ones, and what these would have sold.

A lot q' smaller than the lot q that was on sale would have sold min(units, q'), as far as buyers
don't know how many units there are. So the outcome of every smaller lot is known, also where q sold
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.prediction.init_score import LOT, ORDER_SIZE
from training.data.sample import Sample
from training.data.training_input import TrainingInput

PACES: Final = (
    "demand_pace_7d",
    "demand_pace_28d",
    "demand_pace_84d",
    "demand_pace_product_28d",
    "demand_pace_product_84d",
    "in_stock_demand_pace_84d",
    "units_on_hand",
)
"""Inputs that trees which see the lot also get per unit of it, as earlier catalogues had them."""


@dataclass(frozen=True)
class LotRows:
    """Rows of the design matrix, (rows, inputs), with the lot that each of them offers."""

    inputs: FloatArray
    names: Sequence[str]

    @property
    def lot(self) -> FloatArray:
        """Return the units offered, shape (rows,)."""
        return self._column(LOT)

    @property
    def order_size(self) -> FloatArray:
        """Return the units that an order takes at a time, shape (rows,)."""
        return self._column(ORDER_SIZE)

    def with_lots(self, lot: FloatArray) -> LotRows:
        """Return the rows with other lots; no other input depends on the lot."""
        inputs = self.inputs.copy()
        inputs[:, self.names.index(LOT)] = lot
        return replace(self, inputs=inputs)

    def select(self, mask: BoolArray) -> LotRows:
        """Return the rows of a mask."""
        return replace(self, inputs=self.inputs[mask])

    def with_covers(self) -> LotRows:
        """Return the rows with further inputs: demand and stock per unit of the lot."""
        covers = [self._column(name) / self.lot for name in PACES]
        names = (*self.names, *(f"{name}_per_unit_offered" for name in PACES))
        return LotRows(np.column_stack([self.inputs, *covers]), names)

    def _column(self, name: str) -> FloatArray:
        return self.inputs[:, self.names.index(name)]


def read_lots(training_input: TrainingInput, rows: IntArray) -> LotRows:
    """Return rows of the training set with the lots that were offered."""
    return LotRows(training_input.design_matrix(rows), training_input.recipe.catalogue.model_inputs)


def count_units(sample: Sample, lot: FloatArray) -> FloatArray:
    """Return the units that each lot sold, shape (rows,)."""
    return np.asarray(np.round(sample.label * lot), np.float64)


def draw_smaller_lots(sample: Sample, lot: FloatArray) -> tuple[Sample, FloatArray]:
    """Draw a smaller lot for each row with one, evenly in its logarithm.

    Returns the rows of lots of two units or more with the share of the smaller lot as their label,
    and the smaller lots.
    """
    has_smaller = lot > 1
    offered, rows = lot[has_smaller], sample.select(has_smaller)
    drawn = np.random.default_rng(0).random(offered.size)
    smaller = np.clip(np.floor(offered**drawn), 1.0, offered - 1)
    return replace(rows, label=np.minimum(count_units(rows, offered), smaller) / smaller), smaller
