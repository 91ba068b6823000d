"""The contestants: our estimator in both forms, CatBoost, plain LightGBM and shrinkage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Final

import lightgbm
import numpy as np
import pandas as pd

from experiments.benchmarks.estimators.labelled_tables import LabelledTable
from features.runtime.arrays import FloatArray
from training.encoding.columns import is_category
from training.estimators.boosted import ReturnRiskModel
from training.estimators.shrinkage import ShrinkageModel

Contestant = Callable[[LabelledTable], FloatArray]
"""Learns from a table's rows to learn from and predicts the shares of its other rows."""

OURS: Final = "our estimator"
CATBOOST: Final = "CatBoost"
MISSING: Final = "missing"


def full(table: LabelledTable) -> FloatArray:
    """Fit our estimator with its defaults."""
    return _fit_ours(table, ReturnRiskModel(min_positives=1))


def quick(table: LabelledTable) -> FloatArray:
    """Fit our estimator's quick form."""
    return _fit_ours(table, ReturnRiskModel(min_positives=1, quick=True))


def shrinkage(table: LabelledTable) -> FloatArray:
    """Pool along the columns of categories, those of few levels first."""
    names = _category_names(table)
    groups = sorted(names, key=lambda name: table.train[name].nunique())
    model = ShrinkageModel(groups=groups, min_positives=1)
    return model.fit(table.train, *_labels(table)).predict(table.test)


def catboost(table: LabelledTable) -> FloatArray:
    """Fit CatBoost with its defaults to cross-entropy and native categories."""
    from catboost import CatBoostClassifier, Pool  # noqa: PLC0415 - an extra

    names = _category_names(table)
    share, trials = _labels(table)
    model = CatBoostClassifier(
        loss_function="CrossEntropy",
        random_seed=0,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )
    model.fit(Pool(_as_objects(table.train, names), share, cat_features=names, weight=trials))
    return np.asarray(model.predict_proba(_as_objects(table.test, names))[:, 1], np.float64)


def plain_lightgbm(table: LabelledTable) -> FloatArray:
    """Fit LightGBM with its defaults to native categories."""
    share, trials = _labels(table)
    known = {name: pd.Index(table.train[name].dropna().unique()) for name in _category_names(table)}
    model: Any = lightgbm.LGBMRegressor(
        objective="cross_entropy",
        n_jobs=1,
        random_state=0,
        deterministic=True,
        force_col_wise=True,
        verbosity=-1,
    )
    model.fit(_as_codes(table.train, known), share, sample_weight=trials)
    return np.asarray(model.predict(_as_codes(table.test, known)), np.float64)


CONTESTANTS: Final[Mapping[str, Contestant]] = MappingProxyType(
    {
        OURS: full,
        "our estimator, quick": quick,
        CATBOOST: catboost,
        "plain LightGBM": plain_lightgbm,
        "shrinkage": shrinkage,
    }
)


def installed_contestants() -> tuple[dict[str, Contestant], str | None]:
    """Return the contestants that are installed, and the reason why one is missing."""
    if find_spec("catboost"):
        return dict(CONTESTANTS), None
    others = {name: one for name, one in CONTESTANTS.items() if name != CATBOOST}
    return others, "CatBoost is skipped: it isn't installed. Install it: pip install '.[bench]'."


def _fit_ours(table: LabelledTable, model: ReturnRiskModel) -> FloatArray:
    return model.fit(table.train, *_labels(table)).predict(table.test)


def _labels(table: LabelledTable) -> tuple[FloatArray, FloatArray]:
    return table.share[: table.train_rows], table.trials[: table.train_rows]


def _category_names(table: LabelledTable) -> list[str]:
    return [str(name) for name, column in table.frame.items() if is_category(column)]


def _as_objects(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the columns as CatBoost takes them: a text for each category, missing ones too."""
    columns = {
        name: frame[name].astype(object).where(frame[name].notna(), MISSING) for name in names
    }
    return frame.assign(**columns)


def _as_codes(frame: pd.DataFrame, known: Mapping[str, pd.Index]) -> pd.DataFrame:
    """Return the columns as LightGBM takes them; categories are numbered as in fit."""
    columns = {
        name: pd.Categorical(frame[name], categories=levels) for name, levels in known.items()
    }
    return frame.assign(**columns)
