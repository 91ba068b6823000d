"""The errors of the estimators, as they are printed."""

from __future__ import annotations

from features.runtime.errors import XuanpinError
from training import estimator_errors as errors

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        errors.InvalidParameterError("leaf_ridge", "-1", requirement="a number from 0 up"),
        "The parameter leaf_ridge can't be -1. It must be a number from 0 up.",
    ),
    (
        errors.UnknownColumnsError("groups", ["brand"], ["maker", "price"]),
        "The parameter groups can't name brand. Choose from the columns maker, price.",
    ),
    (
        errors.TwoHoldoutColumnsError(),
        (
            "The parameters calibration_groups and calibration_order are both set. "
            "Set one of them to None."
        ),
    ),
    (
        errors.OrderColumnLearnedError("stock", "groups"),
        (
            "The parameters calibration_order and groups both name stock, but models don't learn "
            "from the column of calibration_order. Leave the column out of groups, or order by "
            "another one."
        ),
    ),
    (
        errors.NothingToLearnFromError(),
        (
            "The table has no column beside that of calibration_order, which models don't learn "
            "from. Add a column, or set calibration_order to None."
        ),
    ),
    (
        errors.UnreadableColumnError("price", "type datetime64[ns]"),
        (
            "Column 'price' can't be used (type datetime64[ns]): it must hold numbers, booleans, "
            "text or categories. Turn it into numbers (a time into days since a moment), or leave "
            "it out."
        ),
    ),
    (
        errors.InfiniteNumbersError("price", "infinity in 200 rows"),
        (
            "Column 'price' holds infinity in 200 rows. "
            "Put NaN where a number is unknown, and a bound where it is too large."
        ),
    ),
    (
        errors.InfiniteNumbersError("price", "a number that no float can hold"),
        (
            "Column 'price' holds a number that no float can hold. "
            "Put NaN where a number is unknown, and a bound where it is too large."
        ),
    ),
    (
        errors.ChangedKindError("maker", expected="text", actual="numbers"),
        (
            "Column 'maker' held text in fit, but holds numbers now. "
            "Give the column the type that it had in fit."
        ),
    ),
    (
        errors.LabelsNotSharesError("3 of 200 are missing (NaN) and 0 are outside"),
        (
            "The labels y must be shares from 0 to 1, but 3 of 200 are missing (NaN) and 0 are "
            "outside. Leave out rows without a final label, and divide counts by their trials."
        ),
    ),
    (
        errors.InvalidWeightsError("all are zero"),
        (
            "Sample weights must be zero or from 1e-15 to 1e+15, and some above zero, but all are "
            "zero. Give each row the number of trials that its share is based on, or 1."
        ),
    ),
    (
        errors.InvalidUnitsError("their shape is (1,) for 2 rows"),
        (
            "Units must be one number, or one a row, from zero up, but their shape is (1,) for 2 "
            "rows. Give the number of units expected of each row, or leave units out."
        ),
    ),
    (
        errors.UnitsUnknownError(),
        (
            "The model doesn't know how units change an interval: all rows that its intervals were "
            "fitted on had the same number of trials. Give fit each row's trials as sample_weight, "
            "or leave units out."
        ),
    ),
    (
        errors.TooFewRowsToFitError(needed=5, rows=3),
        ("The table has 3 sample(s) with a weight above zero; at least 5 are needed. Add rows."),
    ),
    (
        errors.NothingToHoldBackError("day", "3 of its values are missing"),
        (
            "Column 'day' can't divide the rows into two slices: 3 of its values are missing. "
            "Name another column, or none: rows are then held back at random."
        ),
    ),
    (
        errors.NestedColumnsError(["('mean', 'price')"]),
        (
            "The column names have several levels (MultiIndex): ('mean', 'price'). Join the "
            "levels: `X.columns = ['_'.join(map(str, name)) for name in X.columns]`."
        ),
    ),
    (
        errors.MixedNamesError(["1", "nan"]),
        (
            "Some column names are text, but others aren't: 1, nan. "
            "Make all of them text: `X.columns = [str(name) for name in X.columns]`."
        ),
    ),
    (
        errors.ColumnMismatchError(["0", "1"], ["1", "2"]),
        (
            "The columns are 1, 2, but in fit they were 0, 1. "
            "Give the columns the names that they had in fit."
        ),
    ),
    (
        errors.RepeatedColumnsError(["price"]),
        "The table has more than one column named price. Rename or drop columns.",
    ),
]
