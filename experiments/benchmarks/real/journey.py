"""Complete Journey: the share of buyers who buy again, of products that no contestant has seen.

Labels, columns and folds are those of `xuanpin bench complete-journey`; each product counts once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from experiments.benchmarks.complete_journey.contestants import (
    ATTRIBUTES_AND_PRICE,
    Contestant,
    estimator_with_price,
    plain_lightgbm_with_price,
    shrinkage,
)
from experiments.benchmarks.complete_journey.products import REPEAT_SHARE
from experiments.benchmarks.complete_journey.splits import folds
from experiments.benchmarks.real.forecasts import ContestantForecast
from experiments.benchmarks.real.plain_models import has_catboost
from experiments.benchmarks.real.product import PRODUCT
from experiments.benchmarks.real.scores import JudgedRows, Round, judge_round
from features.runtime.arrays import FloatArray
from features.runtime.progress import ProgressCallback
from training.data.sample import NO_ROWS, Sample
from training.data.training_set import EncodedColumn

NAME: Final = "Complete Journey"
KIND: Final = "random products"
TARGET: Final = "share of buyers that buy again"
PLAIN_LIGHTGBM: Final = "plain LightGBM"
PLAIN_CATBOOST: Final = "plain CatBoost"
NUMBERS: Final = ("size_number", "shelf_price")


def plain_catboost(known: pd.DataFrame, new: pd.DataFrame) -> FloatArray:
    """Fit CatBoost with its defaults to native categories and the price."""
    import catboost  # noqa: PLC0415 - an extra

    text = [name for name in ATTRIBUTES_AND_PRICE if name not in NUMBERS]

    def inputs(table: pd.DataFrame) -> pd.DataFrame:
        chosen = table[list(ATTRIBUTES_AND_PRICE)]
        return chosen.assign(**{name: chosen[name].astype("str").fillna("") for name in text})

    model: Any = catboost.CatBoost(
        {
            "loss_function": "CrossEntropy",
            "random_seed": 0,
            "thread_count": 1,
            "allow_writing_files": False,
            "verbose": False,
        }
    )
    model.fit(catboost.Pool(inputs(known), known[REPEAT_SHARE], cat_features=text))
    chance = model.predict(
        catboost.Pool(inputs(new), cat_features=text), prediction_type="Probability"
    )
    return np.asarray(chance[:, 1], np.float64)


def contestants() -> Mapping[str, Contestant]:
    """Return the product's estimator and its rivals; CatBoost if it is installed."""
    rivals: dict[str, Contestant] = {
        PRODUCT: estimator_with_price,
        "shrinkage": shrinkage,
        PLAIN_LIGHTGBM: plain_lightgbm_with_price,
    }
    return rivals | ({PLAIN_CATBOOST: plain_catboost} if has_catboost() else {})


def run_journey(products: pd.DataFrame, draw: int, progress: ProgressCallback) -> Round:
    """Let every contestant predict each fold of one draw."""
    forecasts = {}
    for name, contestant in contestants().items():
        progress(f"{NAME}, draw {draw + 1}: {name}")
        started = time.process_time()
        predicted = np.full(len(products), np.nan)
        for known, new in folds(products, KIND, draw):
            predicted[new] = contestant(products.iloc[known], products.iloc[new])
        seconds = time.process_time() - started
        forecasts[name] = ContestantForecast(predicted, None, None, seconds)
    rows = np.arange(len(products))
    label = products[REPEAT_SHARE].to_numpy(np.float64)
    names = tuple(map(str, products.index))
    judged = JudgedRows(
        Sample(rows, label, np.ones(len(rows))), NO_ROWS, EncodedColumn(rows, names)
    )
    return judge_round(
        judged,
        forecasts,
        task=NAME,
        seed=None,
        origin=draw,
        target=TARGET,
        learned_rows=len(products) * 4 // 5,
    )
