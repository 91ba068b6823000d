"""The contestants: shrinkage, LightGBM with its defaults, and the product's estimator."""

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
"""Learns from a table of labelled products and predicts the shares of another table."""

ATTRIBUTES_AND_PRICE: Final = (*ATTRIBUTES, SHELF_PRICE)


def shrinkage(known: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    """Pool along department, category and type."""
    return _predict_with_estimator(ShrinkageModel(groups=LEVELS), LEVELS, known, new)


def estimator(known: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    """Boost the residuals of shrinkage by the attributes."""
    return _predict_with_estimator(_build_model(), ATTRIBUTES, known, new)


def estimator_with_price(known: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    """Boost the residuals of shrinkage by the attributes and the price."""
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
    """Return the table with makers' numbers as names, for they have no order."""
    if "manufacturer_id" not in table:
        return table
    return table.assign(manufacturer_id=table["manufacturer_id"].astype(str))


def _predict_with_lightgbm(
    columns: tuple[str, ...], known: pd.DataFrame, new: pd.DataFrame
) -> FloatArray:
    """Predict without weights, which LightGBM predicts better than with buyers as weights."""
    train_inputs, new_inputs = (
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
    plain.fit(train_inputs, known[REPEAT_SHARE])
    return np.asarray(plain.predict(new_inputs), np.float64)


def _encode_categories(
    known: pd.DataFrame, table: pd.DataFrame, columns: tuple[str, ...]
) -> pd.DataFrame:
    """Return columns for LightGBM; categories are numbered as in the known table."""
    native = table[list(columns)].copy()
    for name in columns:
        if name not in {"size_number", SHELF_PRICE}:
            categories = pd.Index(known[name].dropna().unique())
            codes = pd.Series(categories.get_indexer(pd.Index(table[name])), index=table.index)
            native[name] = pd.Categorical(
                codes.where(codes >= 0), categories=range(len(categories))
            )
    return native
