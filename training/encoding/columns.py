"""Infer the kind of a column from its type, or from its values if the type is too general."""

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
    ("lengths of time", (timedelta, np.timedelta64)),  # Python takes the latter for an integer
    (NUMBERS, (Real, Decimal, np.bool_)),
    ("text", (str,)),
    ("times", (datetime, np.datetime64)),  # pandas' too
    ("dates", (date,)),
)
"""Names of kinds with their types; the first match counts, other types go by their own name."""


def is_category(column: pd.Series) -> bool:
    """Return True for a column of categories, False for one of numbers or booleans.

    A column of objects holds numbers if every value is a number or a boolean, of any mixture of
    types (int, float, Decimal), or if there are no values. So does an Arrow column of type null.

    Raises:
        UnreadableColumnError: the column is of neither kind.
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
    """Return the names of the kinds of a column's values, without missing ones."""
    value_types = set(map(type, column.dropna().astype(object)))
    return frozenset(_name_kind(value_type) for value_type in value_types)


def _is_category_of_arrow(column: pd.Series, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return True
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if is_number or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return False
    raise UnreadableColumnError(str(column.name), f"type {column.dtype}")


def _name_kind(value_type: type) -> str:
    matches = (name for name, types_of_kind in _KIND_NAMES if issubclass(value_type, types_of_kind))
    return next(matches, value_type.__name__)


MISSING: int = -1
"""The code of a missing or unseen value."""


@dataclass(frozen=True)
class CategoryCodes:
    """The levels of a column in fit; their order doesn't depend on the order of rows."""

    levels: pd.Index
    kinds: frozenset[str]
    """The kinds of the levels: numbers, text and so on."""

    @classmethod
    def infer(cls, column: pd.Series) -> CategoryCodes:
        """Collect the levels of a column of any hashable values."""
        values: list[Hashable] = list(column.dropna().astype(object).unique())
        ordered = sorted(values, key=lambda value: (type(value).__name__, str(value)))
        levels = pd.Index(ordered, dtype=object)
        return cls(levels, infer_kinds(levels.to_series()))

    def code(self, column: pd.Series) -> IntArray:
        """Return the code of each value, `MISSING` if it has none; shape (rows,).

        Raises:
            TypeError: a value can't be hashed.
        """
        if self.levels.empty:
            return np.full(len(column), MISSING, np.int64)
        codes = self.levels.get_indexer(pd.Index(column.astype(object)))
        return np.where(column.isna(), MISSING, codes).astype(np.int64)
