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

from features.declarations import FloatArray
from serving.cells import BoolArray
from training.category_codes import CategoryCodes
from training.estimator_errors import (
    ChangedKindError,
    InfiniteNumbersError,
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
    without_values: Collection[str]
    """Columns of `fills` in which all was missing in fit: nothing was learned of their values, so
    that whatever comes later is missing too."""

    @classmethod
    def of(cls, frame: pd.DataFrame, as_categories: Collection[str]) -> TableReader:
        """Learn the columns; those in `as_categories` are categories even if they hold numbers.

        Raises:
            UnreadableColumnError: a column holds times, nested values or the like.
            InfiniteNumbersError: a column holds an infinite number.
        """
        numbers: dict[str, FloatArray] = {}
        categories: dict[str, CategoryCodes] = {}
        for name, column in frame.items():
            if name in as_categories or _is_category(column):
                categories[str(name)] = _learned(column)
            else:
                numbers[str(name)] = _numbers(column)
        fills = {name: _fill(values) for name, values in numbers.items()}
        without_values = [name for name, values in numbers.items() if np.isnan(values).all()]
        return cls(fills, categories, frozenset(without_values))

    def read(self, frame: pd.DataFrame) -> InputTable:
        """Return a table with the columns of fit as matrices.

        Raises:
            ChangedKindError: a column of numbers has become one of categories.
            UnreadableColumnError: a column of categories holds nested values.
            InfiniteNumbersError: a column holds an infinite number.
        """
        numbers = [self._filled(frame[name]) for name in self.fills]
        codes = [_coded(frame[name], known) for name, known in self.categories.items()]
        return InputTable(
            _columns(numbers, len(frame), np.float64), _columns(codes, len(frame), np.int64)
        )

    def _filled(self, column: pd.Series) -> FloatArray:
        name = str(column.name)
        if name in self.without_values:
            return np.full(len(column), np.nan)
        if _is_category(column):
            raise ChangedKindError(name, f"type {column.dtype}")
        numbers = _numbers(column)
        return np.where(np.isnan(numbers), self.fills[name], numbers)


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


def _coded(column: pd.Series, known: CategoryCodes) -> IntArray:
    try:
        return known.code(column)
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


def _columns(columns: Sequence[Any], rows: int, kind: type) -> Any:  # noqa: ANN401 - either matrix
    return np.column_stack(columns) if columns else np.empty((rows, 0), kind)
