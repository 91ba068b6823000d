"""Read any table into numbers and numbered categories.

Text, object and categorical columns are categories, booleans and numbers are numbers, whatever
library or nullable type they come in. No string reaches LightGBM.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.utils.validation import check_array

from features.declarations import FloatArray
from serving.cells import BoolArray
from training.category_codes import CategoryCodes
from training.estimator_errors import (
    ChangedKindError,
    InfiniteNumbersError,
    RepeatedColumnsError,
    UnreadableColumnError,
)
from training.training_set import IntArray


@dataclass(frozen=True)
class InputTable:
    """A table as matrices: numbers (missing as NaN), codes of categories (missing as -1)."""

    numbers: FloatArray
    codes: IntArray

    def take(self, rows: IntArray | BoolArray) -> InputTable:
        """Return some rows."""
        return InputTable(self.numbers[rows], self.codes[rows])


@dataclass(frozen=True)
class TableReader:
    """What a table's columns are, learned from the rows of `fit`."""

    fills: Mapping[str, float]
    """For each column of numbers, what stands for a missing one: NaN where some were missing in
    fit; else the median, since LightGBM takes for 0 what it has never seen missing."""
    categories: Mapping[str, CategoryCodes]

    @classmethod
    def of(cls, frame: pd.DataFrame, as_categories: Collection[str]) -> TableReader:
        """Learn the columns; those in `as_categories` are categories even if they hold numbers.

        Raises:
            UnreadableColumnError: a column holds times, nested values or the like.
            InfiniteNumbersError: a column holds an infinite number.
        """
        fills: dict[str, float] = {}
        categories: dict[str, CategoryCodes] = {}
        for name, column in frame.items():
            if name in as_categories or _is_category(column):
                categories[str(name)] = _learned(column)
            else:
                fills[str(name)] = _fill(_numbers(column))
        return cls(fills, categories)

    def read(self, frame: pd.DataFrame) -> InputTable:
        """Return a table with the columns of fit as matrices.

        Raises:
            ChangedKindError: a column of numbers has become one of categories.
        """
        numbers = [_filled(frame[name], fill) for name, fill in self.fills.items()]
        codes = [known.code(frame[name]) for name, known in self.categories.items()]
        return InputTable(
            _columns(numbers, len(frame), np.float64), _columns(codes, len(frame), np.int64)
        )


def as_frame(table: Any) -> pd.DataFrame:  # noqa: ANN401 - anything array-like, as in scikit-learn
    """Return a table as a data frame; an array's columns are called x0, x1 and so on.

    Raises:
        RepeatedColumnsError: two columns have the same name.
        ValueError: no two-dimensional table of at least one row and one column.
    """
    if isinstance(table, pd.DataFrame):
        check_array(np.empty(table.shape, dtype=np.int8))
        renamed = table.rename(columns=str)
        if not renamed.columns.is_unique:
            raise RepeatedColumnsError(list(renamed.columns[renamed.columns.duplicated()]))
        return renamed
    values = check_array(table, dtype=None, ensure_all_finite=False)
    names = [f"x{place}" for place in range(values.shape[1])]
    return pd.DataFrame(values, columns=names).infer_objects()


def _is_category(column: pd.Series) -> bool:
    kind = column.dtype
    if types.is_object_dtype(kind):
        return not _holds_numbers(column)
    if isinstance(kind, pd.CategoricalDtype) or types.is_string_dtype(kind):
        return True
    if types.is_numeric_dtype(kind) and not types.is_complex_dtype(kind):
        return False
    raise UnreadableColumnError(str(column.name), f"type {kind}")


def _holds_numbers(column: pd.Series) -> bool:
    """Tell whether an object column holds numbers or booleans, or nothing at all."""
    return types.infer_dtype(column.dropna()) in {
        "boolean",
        "decimal",
        "empty",
        "floating",
        "integer",
        "mixed-integer-float",
    }


def _learned(column: pd.Series) -> CategoryCodes:
    try:
        return CategoryCodes.of(column)
    except TypeError as error:
        raise UnreadableColumnError(str(column.name), str(error)) from error


def _numbers(column: pd.Series) -> FloatArray:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise InfiniteNumbersError(str(column.name), infinite)
    return numbers


def _fill(numbers: FloatArray) -> float:
    return float("nan") if np.isnan(numbers).any() else float(np.median(numbers))


def _filled(column: pd.Series, fill: float) -> FloatArray:
    if _is_category(column):
        raise ChangedKindError(str(column.name), f"type {column.dtype}")
    numbers = _numbers(column)
    return np.where(np.isnan(numbers), fill, numbers)


def _columns(columns: Sequence[Any], rows: int, kind: type) -> Any:  # noqa: ANN401 - either matrix
    return np.column_stack(columns) if columns else np.empty((rows, 0), kind)
