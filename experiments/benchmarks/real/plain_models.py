"""Fit plain LightGBM and plain CatBoost as an experienced user would, with isotonic calibration.

Both stop where the first half of the calibration slice says so, and are calibrated on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

import lightgbm
import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression

from experiments.benchmarks.real.forecasts import ContestantForecast, Slices, add_equal_intervals
from features.runtime.arrays import FloatArray
from training.data.sample import Sample

MAX_TREES: Final = 1_000
LEARNING_RATE: Final = 0.05
PATIENCE: Final = 50
"""Trees without a gain on the later rows before a fit stops."""
MIN_SHARE: Final = 1e-3
"""An isotonic curve may end at 0 or 1, where a single miss would cost everything."""

PlainFit = Callable[[pd.DataFrame, Sample, Sample], Callable[[pd.DataFrame], FloatArray]]
"""Fits a model to features and the rows to learn from and to stop by; returns its predictions."""


def fit_lightgbm(
    features: pd.DataFrame, train: Sample, stop: Sample
) -> Callable[[pd.DataFrame], FloatArray]:
    """Fit LightGBM with its own defaults but for rate, trees and a share of the columns."""
    native = encode_categories(features)
    model: Any = lightgbm.LGBMRegressor(
        objective="cross_entropy",
        n_estimators=MAX_TREES,
        learning_rate=LEARNING_RATE,
        colsample_bytree=0.8,
        subsample=0.8,
        subsample_freq=1,
        random_state=0,
        n_jobs=1,
        deterministic=True,
        force_col_wise=True,
        verbosity=-1,
    )
    model.fit(
        native.iloc[train.rows],
        train.label,
        sample_weight=train.weight,
        eval_X=native.iloc[stop.rows],
        eval_y=stop.label,
        eval_sample_weight=[stop.weight],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    return lambda table: np.asarray(model.predict(encode_categories(table)), np.float64)


def fit_catboost(
    features: pd.DataFrame, train: Sample, stop: Sample
) -> Callable[[pd.DataFrame], FloatArray]:
    """Fit CatBoost with its own defaults and native categories."""
    import catboost  # noqa: PLC0415 - an extra

    text = list(text_columns(features))

    def pool(table: pd.DataFrame, rows: Sample | None = None) -> Any:  # noqa: ANN401 - untyped
        filled = table.assign(**{name: table[name].astype("object").fillna("") for name in text})
        if rows is None:
            return catboost.Pool(filled, cat_features=text)
        return catboost.Pool(
            filled.iloc[rows.rows], rows.label, weight=rows.weight, cat_features=text
        )

    model: Any = catboost.CatBoost(
        {
            "loss_function": "CrossEntropy",
            "iterations": MAX_TREES,
            "learning_rate": LEARNING_RATE,
            "od_type": "Iter",
            "od_wait": PATIENCE,
            "random_seed": 0,
            "thread_count": 1,
            "allow_writing_files": False,
            "verbose": False,
        }
    )
    model.fit(pool(features, train), eval_set=pool(features, stop), use_best_model=True)
    return lambda table: np.asarray(
        model.predict(pool(table), prediction_type="Probability")[:, 1], np.float64
    )


def has_catboost() -> bool:
    """Return whether the extra is installed."""
    return find_spec("catboost") is not None


def run_plain(
    fit: PlainFit, features: pd.DataFrame, slices: Slices, *, coverage: float
) -> ContestantForecast:
    """Fit, calibrate by isotonic regression, and add intervals of one width.

    `features` has a row for each row of the training set, those of cold-start copies optional.
    """
    started = time.process_time()
    predict = fit(features, slices.train, slices.curve_fit)
    curve = IsotonicRegression(y_min=MIN_SHARE, y_max=1 - MIN_SHARE, out_of_bounds="clip")
    curve_fit, held = slices.curve_fit, slices.residual_fit
    curve.fit(
        predict(features.iloc[curve_fit.rows]), curve_fit.label, sample_weight=curve_fit.weight
    )

    def estimate(sample: Sample) -> FloatArray:
        return np.asarray(curve.predict(predict(features.iloc[sample.rows])), np.float64)

    seconds = time.process_time() - started
    latest = estimate(slices.latest)
    low, high = add_equal_intervals(latest, held.label - estimate(held), coverage=coverage)
    copies = slices.latest_masked
    has_copies = 0 < copies.rows.max(initial=0) < len(features)
    masked = estimate(copies) if has_copies else None
    return ContestantForecast(latest, low, high, seconds, masked)


def text_columns(features: pd.DataFrame) -> pd.Index:
    """Return the names of the columns that hold text."""
    return features.select_dtypes("str").columns


def encode_categories(features: pd.DataFrame) -> pd.DataFrame:
    """Return the features with text as LightGBM's native categories, numbered as in `features`."""
    return features.astype(dict.fromkeys(text_columns(features), "category"))
