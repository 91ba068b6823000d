"""Who predicts: shrinkage, LightGBM as it comes, and the project's estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import lightgbm
import numpy as np
import pandas as pd

from experiments.benchmarks.complete_journey.products import (
    ATTRIBUTES,
    BUYERS,
    LEVELS,
    REPEAT_SHARE,
    SHELF_PRICE,
)
from features.runtime.arrays import FloatArray
from training.estimators.base import ShareModel
from training.estimators.boosted import ReturnRiskModel
from training.estimators.shrinkage import ShrinkageModel

Contestant = Callable[[pd.DataFrame, pd.DataFrame], FloatArray]
"""Learns from the one table, of products with labels, and predicts the other's shares."""

ATTRIBUTES_AND_PRICE: Final = (*ATTRIBUTES, SHELF_PRICE)


def shrinkage(known: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    """Pool along department, category and type."""
    return _predict_with_estimator(ShrinkageModel(groups=LEVELS), LEVELS, known, new)


def estimator(known: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    """Boost what shrinkage leaves over, by the attributes."""
    return _predict_with_estimator(_build_model(), ATTRIBUTES, known, new)


def estimator_with_price(known: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    """Boost by the attributes and the price."""
    return _predict_with_estimator(_build_model(), ATTRIBUTES_AND_PRICE, known, new)


def plain_lightgbm(known: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    """Fit LightGBM with its defaults to native categories."""
    return _predict_with_lightgbm(ATTRIBUTES, known, new)


def plain_lightgbm_with_price(known: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    """Fit LightGBM with its defaults to native categories and the price."""
    return _predict_with_lightgbm(ATTRIBUTES_AND_PRICE, known, new)


CONTESTANTS: Final[Mapping[str, Contestant]] = MappingProxyType(
    {
        "shrinkage": shrinkage,
        "plain LightGBM": plain_lightgbm,
        "our estimator": estimator,
        "plain LightGBM, with price": plain_lightgbm_with_price,
        "our estimator, with price": estimator_with_price,
    }
)


def _build_model() -> ReturnRiskModel:
    return ReturnRiskModel(groups=LEVELS, trees=100, boosters=6)


def _predict_with_estimator(
    model: ShareModel, columns: tuple[str, ...], known: pd.DataFrame, new: pd.DataFrame
) -> FloatArray:
    names = list(columns)
    model.fit(_cast_maker_to_text(known[names]), known[REPEAT_SHARE], sample_weight=known[BUYERS])
    return model.predict(_cast_maker_to_text(new[names]))


def _cast_maker_to_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a maker's number as the name that it is."""
    if "manufacturer_id" not in table:
        return table
    return table.assign(manufacturer_id=table["manufacturer_id"].astype(str))


def _predict_with_lightgbm(
    columns: tuple[str, ...], known: pd.DataFrame, new: pd.DataFrame
) -> FloatArray:
    """Predict without weights: with the buyers as weights it does worse."""
    learned, asked = (
        _encode_categories(known, known, columns),
        _encode_categories(known, new, columns),
    )
    plain: Any = lightgbm.LGBMRegressor(
        objective="cross_entropy",
        n_jobs=1,
        random_state=0,
        deterministic=True,
        force_col_wise=True,
        verbosity=-1,
    )
    plain.fit(learned, known[REPEAT_SHARE])
    return np.asarray(plain.predict(asked), np.float64)


def _encode_categories(
    known: pd.DataFrame, asked: pd.DataFrame, columns: tuple[str, ...]
) -> pd.DataFrame:
    """Return a table's columns as LightGBM takes them: categories by the known levels' numbers."""
    native = asked[list(columns)].copy()
    for name in columns:
        if name not in {"size_number", SHELF_PRICE}:
            levels = pd.Index(known[name].dropna().unique())
            codes = pd.Series(levels.get_indexer(pd.Index(asked[name])), index=asked.index)
            native[name] = pd.Categorical(codes.where(codes >= 0), categories=range(len(levels)))
    return native
