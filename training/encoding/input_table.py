"""Read any table into numbers and numbered categories.

Text and categorical columns are categories, booleans and numbers are numbers, whatever library or
nullable type they come in; objects are what their values are. No string reaches LightGBM.
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
    """A table as matrices: numbers (missing as NaN), codes of categories (missing as -1)."""

    numbers: FloatArray
    codes: IntArray

    def take(self, rows: IntArray | BoolArray) -> InputTable:
        """Return some rows."""
        return InputTable(self.numbers[rows], self.codes[rows])


@dataclass(frozen=True)
class TableReader:
    """What a table's columns are, learned from the rows of `fit`."""

    fill_values: Mapping[str, float]
    """For each column of numbers, what stands for a missing one: NaN where some were missing in
    fit; else the median, since LightGBM takes for 0 what it has never seen missing."""
    categories: Mapping[str, CategoryCodes]
    empty_columns: Collection[str]
    """Columns of `fill_values` in which all was missing in fit: no value was learned from, so
    that whatever comes later is missing too."""

    @classmethod
    def infer(cls, frame: pd.DataFrame, as_categories: Collection[str]) -> TableReader:
        """Learn the columns; those in `as_categories` are categories even if they hold numbers.

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
            ChangedKindError: a column of numbers has become one of categories, or none of a
                column's values is of a kind that its levels were of: text is asked for numbers.
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
            raise ChangedKindError(name, known=NUMBERS, found=f"type {column.dtype}")
        numbers = _to_numbers(column)
        return np.where(np.isnan(numbers), self.fill_values[name], numbers)


def _learn_codes(column: pd.Series) -> CategoryCodes:
    try:
        return CategoryCodes.infer(column)
    except (TypeError, ValueError) as error:  # the latter: a number of too many digits to print
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
    """Refuse values none of which could have been seen: levels 1 and 2 asked as '1' and '2'."""
    kinds, found = known.kinds, infer_kinds(column)
    if kinds and found and not kinds & found:
        raise ChangedKindError(
            str(column.name), known=join_names(sorted(kinds)), found=join_names(sorted(found))
        )


def _to_numbers(column: pd.Series) -> FloatArray:
    try:
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except OverflowError as error:
        raise InfiniteNumbersError(str(column.name), "one that no float can hold") from error
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise InfiniteNumbersError(str(column.name), f"infinity in {infinite} rows")
    return numbers


def _fill_value(numbers: FloatArray) -> float:
    return float("nan") if np.isnan(numbers).any() else float(np.median(numbers))


def _stack_columns(columns: Sequence[Any], rows: int, kind: type) -> Any:  # noqa: ANN401 - either matrix
    return np.column_stack(columns) if columns else np.empty((rows, 0), kind)
