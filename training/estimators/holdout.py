"""Choose the rows that are held back to calibrate a model; boosters see them only afterwards."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.runtime.arrays import BoolArray, FloatArray
from training.estimator_errors import NothingToHoldBackError


def hold_out_random(rows: int, share: float, rng: np.random.Generator) -> BoolArray:
    """Hold back random rows, for predictions of rows like those of fit."""
    return rng.permutation(rows) < _holdout_size(rows, share)


def hold_out_groups(column: pd.Series, share: float, rng: np.random.Generator) -> BoolArray:
    """Hold back about `share` of the groups, each with all its rows, for predictions of new groups.

    Rows with a missing group are one group. At least one group is held back.

    Raises:
        NothingToHoldBackError: there is only one group.
    """
    group, groups = pd.factorize(column.astype(object), use_na_sentinel=False)
    if len(groups) <= 1:
        raise NothingToHoldBackError(str(column.name), f"it has {len(groups)} group")
    is_held = rng.permutation(len(groups)) < _holdout_size(len(groups), share)
    return np.asarray(is_held[group])


def hold_out_latest(column: pd.Series, share: float) -> BoolArray:
    """Hold back the latest rows; rows of one moment are never divided.

    Raises:
        NothingToHoldBackError: a moment is missing, most rows have the latest one, or the values
            have no order.
    """
    if column.isna().any():
        missing = int(column.isna().sum())
        raise NothingToHoldBackError(str(column.name), f"{missing} of its values are missing")
    order = _rank(column)
    first = np.sort(order)[len(order) - _holdout_size(len(order), share)]
    is_held = np.asarray(order >= first)
    if is_held.all():
        raise NothingToHoldBackError(str(column.name), "nearly all its values are the same")
    return is_held


def _rank(column: pd.Series) -> FloatArray:
    try:
        return np.asarray(column.rank(method="min"), np.float64)
    except (TypeError, NotImplementedError) as error:  # the latter: Arrow types
        reason = f"its values have no order ({error})"
        raise NothingToHoldBackError(str(column.name), reason) from error


def _holdout_size(count: int, share: float) -> int:
    return min(max(round(count * share), 1), count - 1)
