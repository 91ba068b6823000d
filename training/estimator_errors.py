"""Errors of the estimators: one class a failure, each built from facts.

All of them are ValueErrors too, as scikit-learn's tools expect of an estimator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from features.runtime.errors import SettingsError, TrainingError
from features.runtime.text import escape, join_names

MIN_TRIALS: Final = 1e-15
MAX_TRIALS: Final = 1e15
"""No real number of trials lies beyond these, and sums of weights would lose most rows."""


class InputError(TrainingError, ValueError):
    """Refuse a table, labels or weights that an estimator can't use."""


class ParameterError(SettingsError, ValueError):
    """Refuse a parameter of an estimator."""


class InvalidParameterError(ParameterError):
    """Refuse a parameter of a wrong type or out of range; `requirement` follows "must be"."""

    def __init__(self, parameter: str, value: str, *, requirement: str) -> None:
        super().__init__(
            problem=f"The parameter {parameter} can't be {value}.",
            hint=f"It must be {requirement}.",
        )


class UnknownColumnsError(ParameterError):
    """Refuse a parameter that names other columns than it may."""

    def __init__(self, parameter: str, unknown: Sequence[str], allowed: Sequence[str]) -> None:
        super().__init__(
            problem=f"The parameter {parameter} can't name {join_names(unknown)}.",
            hint=f"Choose from the columns {join_names(allowed)}.",
        )


class TwoHoldoutColumnsError(ParameterError):
    """Refuse to hold back rows both by group and by order."""

    def __init__(self) -> None:
        super().__init__(
            problem="The parameters calibration_groups and calibration_order are both set.",
            hint="Set one of them to None.",
        )


class OrderColumnLearnedError(ParameterError):
    """Refuse to learn from the column of `calibration_order`, which models leave out."""

    def __init__(self, column: str, parameter: str) -> None:
        super().__init__(
            problem=f"The parameters calibration_order and {parameter} both name {escape(column)}, "
            "but models don't learn from the column of calibration_order.",
            hint=f"Leave the column out of {parameter}, or order by another one.",
        )


class NothingToLearnFromError(ParameterError):
    """Refuse a table whose only column is that of `calibration_order`."""

    def __init__(self) -> None:
        super().__init__(
            problem="The table has no column beside that of calibration_order, which models don't "
            "learn from.",
            hint="Add a column, or set calibration_order to None.",
        )


class UnreadableColumnError(InputError):
    """Refuse a column that holds neither numbers, booleans, text nor categories."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(
            problem=f"Column {column!r} can't be used ({reason}): it must hold numbers, booleans, "
            "text or categories.",
            hint="Turn it into numbers (a time into days since a moment), or leave it out.",
        )


class InfiniteNumbersError(InputError):
    """Refuse infinite numbers: no split of a tree can separate them from large ones."""

    def __init__(self, column: str, content: str) -> None:
        super().__init__(
            problem=f"Column {column!r} holds {content}.",
            hint="Put NaN where a number is unknown, and a bound where it is too large.",
        )


class ChangedKindError(InputError):
    """Refuse a column that holds values of another kind than in fit."""

    def __init__(self, column: str, *, expected: str, actual: str) -> None:
        super().__init__(
            problem=f"Column {column!r} held {expected} in fit, but holds {actual} now.",
            hint="Give the column the type that it had in fit.",
        )


class LabelsNotSharesError(InputError):
    """Refuse labels outside 0 and 1, and missing ones, which LightGBM would train on silently."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            problem=f"The labels y must be shares from 0 to 1, but {reason}.",
            hint="Leave out rows without a final label, and divide counts by their trials.",
        )


class InvalidWeightsError(InputError):
    """Refuse sample weights that can't be numbers of trials."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            problem=f"Sample weights must be zero or from {MIN_TRIALS:g} to {MAX_TRIALS:g}, and "
            f"some above zero, but {reason}.",
            hint="Give each row the number of trials that its share is based on, or 1.",
        )


class InvalidUnitsError(InputError):
    """Refuse `units` that can't be numbers of units."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            problem=f"Units must be one number, or one a row, from zero up, but {reason}.",
            hint="Give the number of units expected of each row, or leave units out.",
        )


class UnitsUnknownError(InputError):
    """Refuse `units` if fit saw only rows of the same number of trials."""

    def __init__(self) -> None:
        super().__init__(
            problem="The model doesn't know how units change an interval: all rows that its "
            "intervals were fitted on had the same number of trials.",
            hint="Give fit each row's trials as sample_weight, or leave units out.",
        )


class TooFewRowsToFitError(InputError):
    """Refuse a table that is too small to hold back a slice."""

    def __init__(self, *, needed: int, rows: int) -> None:
        super().__init__(
            problem=f"The table has {rows} sample(s) with a weight above zero; at least {needed} "
            "are needed.",
            hint="Add rows.",
        )


class NothingToHoldBackError(InputError):
    """Refuse a calibration column whose values don't divide the rows."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(
            problem=f"Column {column!r} can't divide the rows into two slices: {reason}.",
            hint="Name another column, or none: rows are then held back at random.",
        )


class NestedColumnsError(InputError):
    """Refuse column names of several levels, as `groupby().agg` may return them."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            problem=f"The column names have several levels (MultiIndex): {join_names(names)}.",
            hint="Join the levels: `X.columns = ['_'.join(map(str, name)) for name in X.columns]`.",
        )


class MixedNamesError(InputError):
    """Refuse column names of which only some are text: scikit-learn can't compare them."""

    def __init__(self, others: Sequence[str]) -> None:
        super().__init__(
            problem=f"Some column names are text, but others aren't: {join_names(others)}.",
            hint="Make all of them text: `X.columns = [str(name) for name in X.columns]`.",
        )


class ColumnMismatchError(InputError):
    """Refuse columns that match those of fit neither by name nor by position."""

    def __init__(self, expected: Sequence[str], actual: Sequence[str]) -> None:
        super().__init__(
            problem=f"The columns are {join_names(actual)}, but in fit they were "
            f"{join_names(expected)}.",
            hint="Give the columns the names that they had in fit.",
        )


class RepeatedColumnsError(InputError):
    """Refuse a table in which several columns have one name."""

    def __init__(self, repeated: Sequence[str]) -> None:
        super().__init__(
            problem=f"The table has more than one column named {join_names(repeated)}.",
            hint="Rename or drop columns.",
        )
