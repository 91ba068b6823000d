"""Validate the labels, sample weights and units that an estimator is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from features.runtime.arrays import FloatArray
from features.runtime.text import escape
from training.estimator_errors import (
    MAX_TRIALS,
    MIN_TRIALS,
    InvalidUnitsError,
    InvalidWeightsError,
    LabelsNotSharesError,
)


def validate_shares(y: ArrayLike, rows: int) -> FloatArray:
    """Return labels as shares of shape (rows,).

    Raises:
        LabelsNotSharesError: a label is missing or outside 0 and 1.
        ValueError: there isn't one number a row.
    """
    flat = column_or_1d(y, warn=True)
    try:
        labels = check_array(flat, ensure_2d=False, dtype=np.float64, ensure_all_finite=False)
    except OverflowError as error:
        raise LabelsNotSharesError("one is a number that no float can hold") from error
    check_consistent_length(labels, np.empty(rows))
    missing = int(np.isnan(labels).sum())
    outside = int(((labels < 0) | (labels > 1)).sum())
    if missing or outside:
        raise LabelsNotSharesError(
            f"{missing} of {rows} are missing (NaN) and {outside} are outside"
        )
    return np.asarray(labels, np.float64)


def validate_trials(sample_weight: ArrayLike | None, rows: int) -> FloatArray:
    """Return the number of trials behind each row's share, 1 without sample weights; (rows,).

    Raises:
        InvalidWeightsError: a weight is missing, infinite, negative or absurd, or all are zero.
        ValueError: there isn't one number a row.
    """
    if sample_weight is None:
        return np.ones(rows)
    flat = column_or_1d(sample_weight)
    try:
        trials = np.asarray(flat, np.float64)
    except OverflowError as error:
        raise InvalidWeightsError("one is a number that no float can hold") from error
    check_consistent_length(trials, np.empty(rows))
    invalid = int((~(np.isfinite(trials) & (trials >= 0))).sum())
    if invalid:
        raise InvalidWeightsError(f"{invalid} of {rows} are missing, infinite or negative")
    absurd = int(((trials > MAX_TRIALS) | ((trials > 0) & (trials < MIN_TRIALS))).sum())
    if absurd:
        smallest, largest = trials[trials > 0].min(), trials.max()
        raise InvalidWeightsError(
            f"{absurd} of {rows} aren't: those above zero go from {smallest:g} to {largest:g}"
        )
    if not trials.any():
        raise InvalidWeightsError("all are zero")
    return trials


def validate_units(units: ArrayLike, rows: int) -> FloatArray:
    """Return the units that each row's share will be of, shape (rows,); one number is for all.

    Raises:
        InvalidUnitsError: units aren't finite numbers from zero up, or not one a row.
    """
    try:
        numbers = np.asarray(units, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidUnitsError(f"they can't be read ({escape(str(error))})") from error
    if numbers.ndim and numbers.shape != (rows,):
        raise InvalidUnitsError(f"their shape is {numbers.shape} for {rows} rows")
    invalid = int((~(np.isfinite(numbers) & (numbers >= 0))).sum())
    if invalid:
        raise InvalidUnitsError(f"{invalid} of them are missing, infinite or negative")
    return np.broadcast_to(numbers, (rows,))
