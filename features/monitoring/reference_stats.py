"""Reference statistics: the distribution of each model input when the bundle was made."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from features.catalogue.catalogue import Catalogue
from features.runtime.arrays import FloatArray

DECILES: Final = np.arange(11) / 10


class ColumnStats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model input over the rows that models learned from.

    The tuples are empty if all values were null. `up_to[i]` is the share of the known values that
    are at most `deciles[i]`. It exceeds i tenths if values are tied.
    """

    missing_share: float
    deciles: tuple[float, ...]
    up_to: tuple[float, ...]


def describe_inputs(catalogue: Catalogue, matrix: FloatArray) -> dict[str, ColumnStats]:
    """Describe each column of a design matrix of shape (rows, inputs)."""
    return {
        name: describe_column(column)
        for name, column in zip(catalogue.model_inputs, matrix.T, strict=True)
    }


def describe_column(column: FloatArray) -> ColumnStats:
    """Describe one column of shape (rows,), null as NaN."""
    known = np.sort(column[~np.isnan(column)])
    if not known.size:
        return ColumnStats(missing_share=1.0, deciles=(), up_to=())
    deciles = np.quantile(known, DECILES, method="inverted_cdf")
    up_to = np.searchsorted(known, deciles, side="right") / known.size
    return ColumnStats(
        missing_share=1 - known.size / column.size,
        deciles=tuple(deciles.tolist()),
        up_to=tuple(up_to.tolist()),
    )
