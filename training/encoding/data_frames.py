"""Turn any table into a data frame whose columns have the names that they had in fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
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
    """Whether the table was an array, or another that pandas doesn't read names from."""
    has_text_names: bool
    """Whether the table had them, each a text: scikit-learn warns where one side has none such."""

    @classmethod
    def infer(cls, table: Any, frame: pd.DataFrame) -> ColumnNames:  # noqa: ANN401 - as below
        """Learn the names of a table, which `as_frame` has turned into `frame`."""
        if not isinstance(table, pd.DataFrame):
            return cls(tuple(frame.columns), has_generated_names=True, has_text_names=False)
        has_text_names = all(isinstance(name, str) for name in table.columns)
        return cls(tuple(frame.columns), has_generated_names=False, has_text_names=has_text_names)

    def rename(self, frame: pd.DataFrame, own: ColumnNames) -> pd.DataFrame:
        """Return a frame of as many columns as in fit under the names of fit.

        Its `own` names tell its columns apart if they are those of fit. Places do if it or the
        table of fit has none, or numbers from 0 on in their stead and the other one has texts, of
        which scikit-learn warns. Other numbers are names: 1, 2, 3 aren't 0, 1, 2.

        Raises:
            ColumnMismatchError: both have names, and other ones.
        """
        if not (self.has_generated_names or own.has_generated_names):
            if set(own.names) == set(self.names):
                return frame
            if not (self._matches_by_position(own) or own._matches_by_position(self)):
                raise ColumnMismatchError(self.names, own.names)
        return frame.set_axis(list(self.names), axis=1)

    def _matches_by_position(self, other: ColumnNames) -> bool:
        places = [str(place) for place in range(len(self.names))]
        return other.has_text_names and list(self.names) == places


def as_frame(table: Any) -> pd.DataFrame:  # noqa: ANN401 - anything array-like, as in scikit-learn
    """Return a table as a data frame; an array's columns are called x0, x1 and so on.

    Raises:
        NestedColumnsError: columns have names of several levels.
        MixedNamesError: some columns have texts as names, others something else.
        RepeatedColumnsError: two columns have the same name.
        ValueError: no two-dimensional table of at least one row and one column.
    """
    if isinstance(table, pd.DataFrame):
        return _rename_columns(table)
    values = check_array(table, dtype=None, ensure_all_finite=False)
    names = [f"x{place}" for place in range(values.shape[1])]
    return pd.DataFrame(values, columns=names).infer_objects()


def _rename_columns(table: pd.DataFrame) -> pd.DataFrame:
    check_array(np.empty(table.shape, dtype=np.int8))
    if isinstance(table.columns, pd.MultiIndex):
        raise NestedColumnsError([str(name) for name in table.columns])
    odd = [name for name in table.columns if type(name) is not str]
    if 0 < len(odd) < table.shape[1]:
        raise MixedNamesError([repr(name) for name in odd])
    renamed = table.rename(columns=str)
    if not renamed.columns.is_unique:
        raise RepeatedColumnsError(list(renamed.columns[renamed.columns.duplicated()]))
    return renamed
