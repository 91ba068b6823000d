"""Read any table into a matrix of numbers and a matrix of category codes.

Text and categorical columns become categories, numbers and booleans become numbers, whatever
library or nullable type they come in; objects are read by their values. No string reaches LightGBM.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.runtime.arrays import BoolArray, FloatArray, IntArray
from features.runtime.text import join_names
from training.encoding.columns import MISSING, NUMBERS, CategoryCodes, infer_kinds, is_category
from training.estimator_errors import (
    ChangedKindError,
    InfiniteNumbersError,
    UnreadableColumnError,
)


@dataclass(frozen=True)
class InputTable:
    """A table as matrices: numbers (missing as NaN) and codes of categories (missing as -1)."""

    numbers: FloatArray
    codes: IntArray

    def take(self, rows: IntArray | BoolArray) -> InputTable:
        """Return the rows of a mask or of positions."""
        return InputTable(self.numbers[rows], self.codes[rows])


@dataclass(frozen=True)
class TableReader:
    """The kind of each column of a table, learned from the rows of `fit`."""

    fill_values: Mapping[str, float]
    """The value that replaces a missing number, by column: NaN if some were missing in fit; else
    the median, because LightGBM reads a NaN as 0 if it has seen none."""
    categories: Mapping[str, CategoryCodes]
    empty_columns: Collection[str]
    """Columns of `fill_values` without any value in fit; later values count as missing."""

    @classmethod
    def infer(cls, frame: pd.DataFrame, as_categories: Collection[str]) -> TableReader:
        """Infer the columns; those in `as_categories` are categories even if they hold numbers.

        Raises:
            UnreadableColumnError: a column holds times, nested values or the like.
            InfiniteNumbersError: a column holds an infinite number, or one beyond all floats.
        """
        numbers: dict[str, FloatArray] = {}
        categories: dict[str, CategoryCodes] = {}
        for name, column in frame.items():
            if name in as_categories or is_category(column):
                categories[str(name)] = _learn_codes(column)
            else:
                numbers[str(name)] = _to_numbers(column)
        fill_values = {name: _fill_value(values) for name, values in numbers.items()}
        empty_columns = [name for name, values in numbers.items() if np.isnan(values).all()]
        return cls(fill_values, categories, frozenset(empty_columns))

    def read(self, frame: pd.DataFrame) -> InputTable:
        """Return a table with the columns of fit as matrices.

        Raises:
            ChangedKindError: a column of numbers has become one of categories, or no value of a
                column is of a kind seen in fit.
            UnreadableColumnError: a column of categories holds nested values.
            InfiniteNumbersError: a column holds an infinite number, or one beyond all floats.
        """
        numbers = [self._fill_missing(frame[name]) for name in self.fill_values]
        codes = [_encode(frame[name], known) for name, known in self.categories.items()]
        return InputTable(
            _stack_columns(numbers, len(frame), np.float64),
            _stack_columns(codes, len(frame), np.int64),
        )

    def _fill_missing(self, column: pd.Series) -> FloatArray:
        name = str(column.name)
        if name in self.empty_columns:
            return np.full(len(column), np.nan)
        if column.isna().all():
            return np.full(len(column), self.fill_values[name])
        if is_category(column):
            raise ChangedKindError(name, expected=NUMBERS, actual=f"values of type {column.dtype}")
        numbers = _to_numbers(column)
        return np.where(np.isnan(numbers), self.fill_values[name], numbers)


def _learn_codes(column: pd.Series) -> CategoryCodes:
    try:
        return CategoryCodes.infer(column)
    except (TypeError, ValueError) as error:  # the latter: a number with too many digits to print
        raise UnreadableColumnError(str(column.name), str(error)) from error


def _encode(column: pd.Series, known: CategoryCodes) -> IntArray:
    try:
        codes = known.code(column)
    except TypeError as error:
        raise UnreadableColumnError(str(column.name), str(error)) from error
    if (codes == MISSING).all():
        _refuse_other_kinds(column, known)
    return codes


def _refuse_other_kinds(column: pd.Series, known: CategoryCodes) -> None:
    """Refuse a column if no value is of a kind seen in fit, such as '1' and '2' for 1 and 2."""
    actual = infer_kinds(column)
    if known.kinds and actual and not known.kinds & actual:
        raise ChangedKindError(
            str(column.name),
            expected=join_names(sorted(known.kinds)),
            actual=join_names(sorted(actual)),
        )


def _to_numbers(column: pd.Series) -> FloatArray:
    try:
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except OverflowError as error:
        raise InfiniteNumbersError(str(column.name), "a number that no float can hold") from error
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise InfiniteNumbersError(str(column.name), f"infinity in {infinite} rows")
    return numbers


def _fill_value(numbers: FloatArray) -> float:
    return float("nan") if np.isnan(numbers).any() else float(np.median(numbers))


def _stack_columns(columns: Sequence[Any], rows: int, kind: type) -> Any:  # noqa: ANN401 - either matrix
    return np.column_stack(columns) if columns else np.empty((rows, 0), kind)
