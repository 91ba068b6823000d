"""Reference statistics: how each model input was distributed when the bundle was made."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from features.catalogue import Catalogue
from features.declarations import FloatArray

DECILES: Final = np.arange(11) / 10


class ColumnStats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model input over the training rows; `deciles` is empty where all were null."""

    missing_share: float
    deciles: tuple[float, ...]


def describe_inputs(catalogue: Catalogue, matrix: FloatArray) -> dict[str, ColumnStats]:
    """Describe each column of a design matrix of shape (rows, inputs)."""
    return {
        name: _describe(column)
        for name, column in zip(catalogue.model_inputs, matrix.T, strict=True)
    }


def _describe(column: FloatArray) -> ColumnStats:
    known = column[~np.isnan(column)]
    deciles = np.quantile(known, DECILES, method="inverted_cdf").tolist() if known.size else ()
    return ColumnStats(
        missing_share=1 - known.size / column.size,
        deciles=tuple(deciles),
    )
