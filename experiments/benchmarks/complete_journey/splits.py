"""Three ways to be a product never seen: by itself, with its maker, with its category."""

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
"""What a fold has never seen: the column whose values it holds in full."""


def folds(products: pd.DataFrame, kind: str, seed: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the rows to learn from and those to predict, five times.

    Products without a category count as one category.
    """
    column = UNSEEN[kind]
    places = np.zeros(len(products))
    if column is None:
        yield from KFold(FOLDS, shuffle=True, random_state=seed).split(places)
        return
    group = pd.factorize(products[column], use_na_sentinel=False)[0]
    yield from GroupKFold(FOLDS, shuffle=True, random_state=seed).split(places, groups=group)
