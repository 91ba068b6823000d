"""Turn any table into a data frame with the column names of fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.utils.validation import check_array

from training.estimator_errors import (
    ColumnMismatchError,
    MixedNamesError,
    NestedColumnsError,
    RepeatedColumnsError,
)


@dataclass(frozen=True)
class ColumnNames:
    """The names of a table's columns, in their order."""

    names: tuple[str, ...]
    has_generated_names: bool
    """True for an array, or another table that pandas reads no names from."""
    has_text_names: bool
    """True if the table had names and all are text; scikit-learn warns if only one side has them.
    """

    @classmethod
    def infer(cls, table: Any, frame: pd.DataFrame) -> ColumnNames:  # noqa: ANN401 - as below
        """Collect the names of a table, which `as_frame` has turned into `frame`."""
        if not isinstance(table, pd.DataFrame):
            return cls(tuple(frame.columns), has_generated_names=True, has_text_names=False)
        has_text_names = all(isinstance(name, str) for name in table.columns)
        return cls(tuple(frame.columns), has_generated_names=False, has_text_names=has_text_names)

    def rename(self, frame: pd.DataFrame, actual: ColumnNames) -> pd.DataFrame:
        """Return a frame with as many columns as in fit under the names of fit.

        `actual` holds the frame's own names. Columns are matched by name if the names are those of
        fit. They are matched by position if either table has no names, or if one has the numbers 0,
        1, 2, ... as names and the other has texts (scikit-learn warns of this). Other numbers are
        names: 1, 2, 3 don't match 0, 1, 2.

        Raises:
            ColumnMismatchError: both tables have names, and the names differ.
        """
        if not (self.has_generated_names or actual.has_generated_names):
            if set(actual.names) == set(self.names):
                return frame
            if not (self._matches_by_position(actual) or actual._matches_by_position(self)):
                raise ColumnMismatchError(self.names, actual.names)
        return frame.set_axis(list(self.names), axis=1)

    def _matches_by_position(self, other: ColumnNames) -> bool:
        positions = [str(position) for position in range(len(self.names))]
        return other.has_text_names and list(self.names) == positions


def read_arrow(table: Any) -> Any:  # noqa: ANN401 - as below
    """Return a table of Arrow data as a pandas frame with its names; leave any other table.

    Tables of pyarrow, polars and others have the Arrow stream interface. Their columns keep
    Arrow's types.
    """
    if isinstance(table, pd.DataFrame) or not hasattr(table, "__arrow_c_stream__"):
        return table
    try:
        arrow = pa.table(table)
    except (TypeError, pa.ArrowInvalid):  # a single column, which isn't two-dimensional
        return table
    fields = [
        field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field
        for field in arrow.schema  # pandas can't compute with polars' type of text
    ]
    return arrow.cast(pa.schema(fields)).to_pandas(types_mapper=pd.ArrowDtype)


def as_frame(table: Any) -> pd.DataFrame:  # noqa: ANN401 - anything array-like, as in scikit-learn
    """Return a table as a data frame; an array's columns are called x0, x1 and so on.

    Raises:
        NestedColumnsError: columns have names of several levels.
        MixedNamesError: some names are texts, others aren't.
        RepeatedColumnsError: two columns have the same name.
        ValueError: the table isn't two-dimensional with at least one row and one column.
    """
    if isinstance(table, pd.DataFrame):
        return _rename_columns(table)
    values = check_array(table, dtype=None, ensure_all_finite=False)
    names = [f"x{index}" for index in range(values.shape[1])]
    return pd.DataFrame(values, columns=names).infer_objects()


def _rename_columns(table: pd.DataFrame) -> pd.DataFrame:
    check_array(np.empty(table.shape, dtype=np.int8))
    if isinstance(table.columns, pd.MultiIndex):
        raise NestedColumnsError([str(name) for name in table.columns])
    others = [name for name in table.columns if type(name) is not str]
    if 0 < len(others) < table.shape[1]:
        raise MixedNamesError([repr(name) for name in others])
    renamed = table.rename(columns=str)
    if not renamed.columns.is_unique:
        raise RepeatedColumnsError(list(renamed.columns[renamed.columns.duplicated()]))
    return renamed
