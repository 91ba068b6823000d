"""Refusals of the estimators: one class a failure, each built from facts.

They are also ValueErrors, which is what scikit-learn's tools expect of an estimator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from features.runtime.errors import SettingsError, TrainingError
from features.runtime.text import join_names

MIN_TRIALS: Final = 1e-15
MAX_TRIALS: Final = 1e15
"""Beyond these no real number of trials is, and sums of weights lose all but a few of them."""


class InputError(TrainingError, ValueError):
    """Refuse a table, labels or weights that an estimator can't use."""


class ParameterError(SettingsError, ValueError):
    """Refuse a parameter of an estimator."""

    def __init__(self, parameter: str, *, expected: str, found: str) -> None:
        super().__init__(
            expected=expected,
            found=found,
            way_out=f"Change the parameter {parameter}.",
        )


class UnknownColumnsError(ParameterError):
    """Refuse a parameter that names columns which the table doesn't have."""

    def __init__(self, parameter: str, unknown: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(
            parameter,
            expected=f"{parameter} to name columns of the table: {join_names(known)}",
            found=join_names(unknown),
        )


class UnreadableColumnError(InputError):
    """Refuse a column that holds neither numbers, booleans, text nor categories."""

    def __init__(self, column: str, found: str) -> None:
        super().__init__(
            expected=f"numbers, booleans, text or categories in column {column!r}",
            found=found,
            way_out="Turn it into numbers (a time into days since a moment), or leave it out.",
        )


class InfiniteNumbersError(InputError):
    """Refuse infinite numbers: no split of a tree tells them from big ones."""

    def __init__(self, column: str, found: str) -> None:
        super().__init__(
            expected=f"finite or missing numbers in column {column!r}",
            found=found,
            way_out="Put NaN where a number is unknown, and a bound where it is too large.",
        )


class ChangedKindError(InputError):
    """Refuse a column that holds values of another kind than it did in fit."""

    def __init__(self, column: str, *, known: str, found: str) -> None:
        super().__init__(
            expected=f"{known} in column {column!r}, as in fit",
            found=found,
            way_out="Give the column the type that it had in fit.",
        )


class LabelsNotSharesError(InputError):
    """Refuse labels outside 0 and 1; LightGBM would train on missing ones without a word."""

    def __init__(self, found: str) -> None:
        super().__init__(
            expected="labels y that are shares, from 0 to 1",
            found=found,
            way_out="Leave out rows without a final label, and divide counts by their trials.",
        )


class InvalidWeightsError(InputError):
    """Refuse weights that are no numbers of trials."""

    def __init__(self, found: str) -> None:
        super().__init__(
            expected=f"sample weights of zero or from {MIN_TRIALS:g} to {MAX_TRIALS:g}, "
            "some above zero",
            found=found,
            way_out="Give each row the number of trials that its share rests on, or 1.",
        )


class InvalidUnitsError(InputError):
    """Refuse what is no number of units."""

    def __init__(self, found: str) -> None:
        super().__init__(
            expected="units as one number, or one a row, from zero on",
            found=found,
            way_out="Say how many units of each row are expected, or leave units out.",
        )


class UnitsUnknownError(InputError):
    """Refuse units where fit saw rows of one number of trials only."""

    def __init__(self) -> None:
        super().__init__(
            expected="no units: all rows that size intervals had the same number of trials in fit",
            found="units",
            way_out="Give fit each row's trials as sample_weight, or leave units out.",
        )


class TooFewRowsToFitError(InputError):
    """Refuse a table of which no slice can be held back."""

    def __init__(self, *, needed: int, found: int) -> None:
        super().__init__(
            expected=f"at least {needed} samples with a weight above zero",
            found=f"{found} sample(s)",
            way_out="Add rows.",
        )


class NothingToHoldBackError(InputError):
    """Refuse a calibration column whose values don't part the rows."""

    def __init__(self, column: str, found: str) -> None:
        super().__init__(
            expected=f"values of column {column!r} that part the rows in two slices",
            found=found,
            way_out="Name another column, or none: rows are then held back at random.",
        )


class NestedColumnsError(InputError):
    """Refuse columns whose names have several levels, as `groupby().agg` may return them."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            expected="columns with one name each",
            found=f"names of several levels (MultiIndex): {join_names(names)}",
            way_out="Join the levels: X.columns = ['_'.join(map(str, name)) for name in X.columns]",
        )


class MixedNamesError(InputError):
    """Refuse names of columns of which some only are texts: scikit-learn can't compare them."""

    def __init__(self, odd: Sequence[str]) -> None:
        super().__init__(
            expected="names of columns that are all text, or none of them",
            found=f"{join_names(odd)} beside text",
            way_out="Make them text: X.columns = [str(name) for name in X.columns]",
        )


class ColumnMismatchError(InputError):
    """Refuse columns of which neither the names nor the places say which ones of fit they are."""

    def __init__(self, known: Sequence[str], found: Sequence[str]) -> None:
        super().__init__(
            expected=f"the columns of fit: {join_names(known)}",
            found=join_names(found),
            way_out="Give the columns the names that they had in fit.",
        )


class RepeatedColumnsError(InputError):
    """Refuse a table of which a name doesn't say which column is meant."""

    def __init__(self, repeated: Sequence[str]) -> None:
        super().__init__(
            expected="each column name once",
            found=f"{join_names(repeated)} more than once",
            way_out="Rename or drop columns.",
        )
