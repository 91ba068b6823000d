"""Tell what a column holds: by its type, or by its values where that doesn't tell."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from numbers import Real
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from training.estimator_errors import UnreadableColumnError

NUMBERS: Final = "numbers"
_NAMES: Final = (
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
        return not kinds_of(column) <= {NUMBERS}
    if isinstance(kind, pd.CategoricalDtype) or types.is_string_dtype(kind):
        return True
    if types.is_numeric_dtype(kind) and not types.is_complex_dtype(kind):
        return False
    raise UnreadableColumnError(str(column.name), f"type {kind}")


def kinds_of(column: pd.Series) -> frozenset[str]:
    """Return what the values of a column are, in words; missing ones are nothing."""
    return frozenset(_kind(one) for one in set(map(type, column.dropna().astype(object))))


def _is_category_of_arrow(column: pd.Series, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return True
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if is_number or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return False
    raise UnreadableColumnError(str(column.name), f"type {column.dtype}")


def _kind(one: type) -> str:
    fitting = (name for name, known in _NAMES if issubclass(one, known))
    return next(fitting, one.__name__)
