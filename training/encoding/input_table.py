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
from features.runtime.text import listed
from training.encoding.columns import MISSING, NUMBERS, CategoryCodes, is_category, kinds_of
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
            InfiniteNumbersError: a column holds an infinite number, or one beyond all floats.
        """
        numbers: dict[str, FloatArray] = {}
        categories: dict[str, CategoryCodes] = {}
        for name, column in frame.items():
            if name in as_categories or is_category(column):
                categories[str(name)] = _learned(column)
            else:
                numbers[str(name)] = _numbers(column)
        fills = {name: _fill(values) for name, values in numbers.items()}
        without_values = [name for name, values in numbers.items() if np.isnan(values).all()]
        return cls(fills, categories, frozenset(without_values))

    def read(self, frame: pd.DataFrame) -> InputTable:
        """Return a table with the columns of fit as matrices.

        Raises:
            ChangedKindError: a column of numbers has become one of categories, or none of a
                column's values is of a kind that its levels were of: text is asked for numbers.
            UnreadableColumnError: a column of categories holds nested values.
            InfiniteNumbersError: a column holds an infinite number, or one beyond all floats.
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
        if column.isna().all():
            return np.full(len(column), self.fills[name])
        if is_category(column):
            raise ChangedKindError(name, known=NUMBERS, found=f"type {column.dtype}")
        numbers = _numbers(column)
        return np.where(np.isnan(numbers), self.fills[name], numbers)


def _learned(column: pd.Series) -> CategoryCodes:
    try:
        return CategoryCodes.of(column)
    except (TypeError, ValueError) as error:  # the latter: a number of too many digits to print
        raise UnreadableColumnError(str(column.name), str(error)) from error


def _coded(column: pd.Series, known: CategoryCodes) -> IntArray:
    try:
        codes = known.code(column)
    except TypeError as error:
        raise UnreadableColumnError(str(column.name), str(error)) from error
    if (codes == MISSING).all():
        _refuse_other_kinds(column, known)
    return codes


def _refuse_other_kinds(column: pd.Series, known: CategoryCodes) -> None:
    """Refuse values none of which could have been seen: levels 1 and 2 asked as '1' and '2'."""
    kinds, found = known.kinds, kinds_of(column)
    if kinds and found and not kinds & found:
        raise ChangedKindError(
            str(column.name), known=listed(sorted(kinds)), found=listed(sorted(found))
        )


def _numbers(column: pd.Series) -> FloatArray:
    try:
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except OverflowError as error:
        raise InfiniteNumbersError(str(column.name), "one that no float can hold") from error
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise InfiniteNumbersError(str(column.name), f"infinity in {infinite} rows")
    return numbers


def _fill(numbers: FloatArray) -> float:
    return float("nan") if np.isnan(numbers).any() else float(np.median(numbers))


def _columns(columns: Sequence[Any], rows: int, kind: type) -> Any:  # noqa: ANN401 - either matrix
    return np.column_stack(columns) if columns else np.empty((rows, 0), kind)
