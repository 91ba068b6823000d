"""Tell what a column holds: by its type, or by its values where that doesn't tell."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from numbers import Real
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from features.runtime.arrays import IntArray
from training.estimator_errors import UnreadableColumnError

NUMBERS: Final = "numbers"
_KIND_NAMES: Final = (
    ("lengths of time", (timedelta, np.timedelta64)),  # the latter is a whole number to Python
    (NUMBERS, (Real, Decimal, np.bool_)),
    ("text", (str,)),
    ("times", (datetime, np.datetime64)),  # pandas' too
    ("dates", (date,)),
)
"""What values of these types are called, the first that fits; others by the name of their type."""


def is_category(column: pd.Series) -> bool:
    """Tell whether a column is one of categories; else it is one of numbers or booleans.

    One of objects is one of numbers if each of them is a number or a boolean, mixed as may be
    (whole, floating, Decimal), or if there are none. So is Arrow's column of type null.

    Raises:
        UnreadableColumnError: it is of neither kind.
    """
    kind = column.dtype
    if isinstance(kind, pd.ArrowDtype):
        return _is_category_of_arrow(column, kind.pyarrow_dtype)
    if types.is_object_dtype(kind):
        return not infer_kinds(column) <= {NUMBERS}
    if isinstance(kind, pd.CategoricalDtype) or types.is_string_dtype(kind):
        return True
    if types.is_numeric_dtype(kind) and not types.is_complex_dtype(kind):
        return False
    raise UnreadableColumnError(str(column.name), f"type {kind}")


def infer_kinds(column: pd.Series) -> frozenset[str]:
    """Return what the values of a column are, in words; missing ones are nothing."""
    return frozenset(_name_kind(one) for one in set(map(type, column.dropna().astype(object))))


def _is_category_of_arrow(column: pd.Series, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return True
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if is_number or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return False
    raise UnreadableColumnError(str(column.name), f"type {column.dtype}")


def _name_kind(one: type) -> str:
    fitting = (name for name, known in _KIND_NAMES if issubclass(one, known))
    return next(fitting, one.__name__)


MISSING: int = -1
"""The code of a value that is missing or wasn't seen."""


@dataclass(frozen=True)
class CategoryCodes:
    """The levels that were seen, in an order that doesn't depend on the rows' order."""

    levels: pd.Index
    kinds: frozenset[str]
    """What the levels are: numbers, text and so on (training/encoding/columns.py)."""

    @classmethod
    def infer(cls, column: pd.Series) -> CategoryCodes:
        """Learn the levels of a column of any hashable values."""
        values: list[Hashable] = list(column.dropna().astype(object).unique())
        ordered = sorted(values, key=lambda value: (type(value).__name__, str(value)))
        levels = pd.Index(ordered, dtype=object)
        return cls(levels, infer_kinds(levels.to_series()))

    def code(self, column: pd.Series) -> IntArray:
        """Return each value's number, `MISSING` where it has none; shape (rows,).

        Raises:
            TypeError: a value can't be hashed.
        """
        if self.levels.empty:
            return np.full(len(column), MISSING, np.int64)
        found = self.levels.get_indexer(pd.Index(column.astype(object)))
        return np.where(column.isna(), MISSING, found).astype(np.int64)
