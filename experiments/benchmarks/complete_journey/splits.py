"""Folds of unseen products: random ones, all of a maker, or all of a category."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold

from features.runtime.arrays import IntArray

FOLDS: Final = 5

UNSEEN: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "random products": None,
        "unseen makers": "manufacturer_id",
        "unseen categories": "product_category",
    }
)
"""The column whose values a fold holds in full, None for random folds."""


def folds(products: pd.DataFrame, kind: str, seed: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the rows to learn from and the rows to predict, for each of `FOLDS` folds.

    Products without a category count as one category.
    """
    column = UNSEEN[kind]
    rows = np.zeros(len(products))
    if column is None:
        yield from KFold(FOLDS, shuffle=True, random_state=seed).split(rows)
        return
    group = pd.factorize(products[column], use_na_sentinel=False)[0]
    yield from GroupKFold(FOLDS, shuffle=True, random_state=seed).split(rows, groups=group)
