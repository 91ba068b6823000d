"""Choose the rows that calibrate a model: no booster learns from them before they have done so."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.runtime.arrays import BoolArray, FloatArray
from training.estimator_errors import NothingToHoldBackError


def hold_out_random(rows: int, share: float, rng: np.random.Generator) -> BoolArray:
    """Hold back rows drawn evenly: right for rows that come as those of fit came."""
    return rng.permutation(rows) < _holdout_size(rows, share)


def hold_out_groups(column: pd.Series, share: float, rng: np.random.Generator) -> BoolArray:
    """Hold back groups in full, at least one, until `share` of them: right for new groups.

    Rows with a missing group are one group.

    Raises:
        NothingToHoldBackError: there is one group only.
    """
    group, groups = pd.factorize(column.astype(object), use_na_sentinel=False)
    if len(groups) <= 1:
        raise NothingToHoldBackError(str(column.name), f"{len(groups)} group")
    is_held = rng.permutation(len(groups)) < _holdout_size(len(groups), share)
    return np.asarray(is_held[group])


def hold_out_latest(column: pd.Series, share: float) -> BoolArray:
    """Hold back the latest rows, none of them at the same moment as one that is kept.

    Raises:
        NothingToHoldBackError: a moment is missing, most rows share the latest one, or the values
            have no order.
    """
    if column.isna().any():
        raise NothingToHoldBackError(str(column.name), f"{int(column.isna().sum())} missing")
    order = _rank(column)
    first = np.sort(order)[len(order) - _holdout_size(len(order), share)]
    is_held = np.asarray(order >= first)
    if is_held.all():
        raise NothingToHoldBackError(str(column.name), "the same value in nearly all rows")
    return is_held


def _rank(column: pd.Series) -> FloatArray:
    try:
        return np.asarray(column.rank(method="min"), np.float64)
    except (TypeError, NotImplementedError) as error:  # the latter: types of Arrow's
        raise NothingToHoldBackError(str(column.name), f"values without order: {error}") from error


def _holdout_size(units: int, share: float) -> int:
    return min(max(round(units * share), 1), units - 1)
