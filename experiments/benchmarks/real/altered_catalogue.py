"""A catalogue of the same declarations that shows boosters less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from features.catalogue.catalogue import Catalogue
from features.declarations.return_expectation import NAME as FORMULA
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray

CONSTANT_START: Final = 0.5
"""Where trees start without a formula: log odds of 0, as LightGBM's own do without an average."""


@dataclass(frozen=True)
class AlteredCatalogue(Catalogue):
    """The same declarations, of which boosters see less.

    A hidden input is null in every row, so that LightGBM never considers it. Without the formula,
    the trees of return risk start from one share in all rows; the formula stays an input under
    another name, unless it is hidden.
    """

    hidden: frozenset[str] = frozenset()
    starts_from_formula: bool = True
    is_monotone: bool = True

    @cached_property
    def model_inputs(self) -> tuple[str, ...]:
        """Return the names of the inputs, without the formula with a constant one in its place."""
        names = self._whole.model_inputs
        if self.starts_from_formula:
            return names
        return (*(f"{name}_as_input" if name == FORMULA else name for name in names), FORMULA)

    @cached_property
    def _whole(self) -> Catalogue:
        return Catalogue(self.request_fields, self.features)

    def design_matrix(
        self, columns: Mapping[str, FloatArray], parameters: Mapping[str, float]
    ) -> FloatArray:
        """Return the matrix with hidden inputs null."""
        matrix = self._whole.design_matrix(columns, parameters)
        matrix[:, [name in self.hidden for name in self._whole.model_inputs]] = np.nan
        if self.starts_from_formula:
            return matrix
        return np.column_stack([matrix, np.full(len(matrix), CONSTANT_START)])

    def monotone(self, target: Target) -> list[int]:
        """Return the constraints, or none."""
        constraints = self._whole.monotone(target)
        if not self.is_monotone:
            constraints = [0] * len(constraints)
        return constraints if self.starts_from_formula else [*constraints, 0]
