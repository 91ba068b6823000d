"""Fit plain LightGBM and plain CatBoost as an experienced user would, with isotonic calibration.

Both learn from what was final before the calibration slice, stop where its first half says so, and
are calibrated on that. Then they are fitted anew, with as many trees, on all rows that were final
when the latest slice began: a user wouldn't leave out the latest months, and the product doesn't.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, Protocol

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


@dataclass(frozen=True)
class PlainModel:
    """A fitted model's predictions, and the number of trees that it stopped at."""

    predict: Callable[[pd.DataFrame], FloatArray]
    trees: int


class PlainFit(Protocol):
    """Fits a model to features."""

    def __call__(
        self, features: pd.DataFrame, learned: Sample, *, stop: Sample | None, trees: int
    ) -> PlainModel:
        """Fit `trees` trees to the rows of `learned`, or fewer if `stop` gains from no more."""


def fit_lightgbm(
    features: pd.DataFrame, learned: Sample, *, stop: Sample | None, trees: int
) -> PlainModel:
    """Fit LightGBM with its own defaults but for rate, trees and a share of the columns."""
    native = encode_categories(features)
    model: Any = lightgbm.LGBMRegressor(
        objective="cross_entropy",
        n_estimators=trees,
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
    stopping: dict[str, Any] = {}
    if stop is not None:
        stopping = {
            "eval_X": native.iloc[stop.rows],
            "eval_y": stop.label,
            "eval_sample_weight": [stop.weight],
            "callbacks": [lightgbm.early_stopping(PATIENCE, verbose=False)],
        }
    model.fit(native.iloc[learned.rows], learned.label, sample_weight=learned.weight, **stopping)
    return PlainModel(
        lambda table: np.asarray(model.predict(encode_categories(table)), np.float64),
        trees if stop is None else model.best_iteration_,
    )


def fit_catboost(
    features: pd.DataFrame, learned: Sample, *, stop: Sample | None, trees: int
) -> PlainModel:
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
            "iterations": trees,
            "learning_rate": LEARNING_RATE,
            "random_seed": 0,
            "thread_count": 1,
            "allow_writing_files": False,
            "verbose": False,
        }
    )
    stopping: dict[str, Any] = {}
    if stop is not None:
        stopping = {"eval_set": pool(features, stop), "early_stopping_rounds": PATIENCE}
    model.fit(pool(features, learned), **stopping)
    return PlainModel(
        lambda table: np.asarray(
            model.predict(pool(table), prediction_type="Probability")[:, 1], np.float64
        ),
        model.tree_count_,
    )


def has_catboost() -> bool:
    """Return whether the extra is installed."""
    return find_spec("catboost") is not None


def run_plain(
    fit: PlainFit, features: pd.DataFrame, slices: Slices, *, coverage: float
) -> ContestantForecast:
    """Fit, calibrate by isotonic regression, add intervals of one width, and refit on known rows.

    `features` has a row for each row of the training set, those of cold-start copies optional.
    """
    started = time.process_time()
    earlier = fit(features, slices.train, stop=slices.curve_fit, trees=MAX_TREES)
    curve = IsotonicRegression(y_min=MIN_SHARE, y_max=1 - MIN_SHARE, out_of_bounds="clip")
    curve_fit, held = slices.curve_fit, slices.residual_fit

    def estimate(model: PlainModel, sample: Sample) -> FloatArray:
        return np.asarray(curve.predict(model.predict(features.iloc[sample.rows])), np.float64)

    curve.fit(
        earlier.predict(features.iloc[curve_fit.rows]),
        curve_fit.label,
        sample_weight=curve_fit.weight,
    )
    final = fit(features, slices.known, stop=None, trees=max(earlier.trees, 1))
    seconds = time.process_time() - started
    latest = estimate(final, slices.latest)
    residuals = held.label - estimate(earlier, held)
    low, high = add_equal_intervals(latest, residuals, coverage=coverage)
    copies = slices.latest_masked
    has_copies = 0 < copies.rows.max(initial=0) < len(features)
    masked = estimate(final, copies) if has_copies else None
    return ContestantForecast(latest, low, high, seconds, masked)


def text_columns(features: pd.DataFrame) -> pd.Index:
    """Return the names of the columns that hold text."""
    return features.select_dtypes("str").columns


def encode_categories(features: pd.DataFrame) -> pd.DataFrame:
    """Return the features with text as LightGBM's native categories, numbered as in `features`."""
    return features.astype(dict.fromkeys(text_columns(features), "category"))
