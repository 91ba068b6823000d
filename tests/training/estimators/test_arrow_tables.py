"""Tables of Arrow data, from whatever library: their names count as those of pandas do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.worlds.makers import draw_shares
from training.estimators.shrinkage import ShrinkageModel

MARKET = draw_shares(300)
X = MARKET.X
SHARE = np.asarray(MARKET.y)
Form = Callable[[pd.DataFrame], Any]


class Foreign:
    """A table of another library, as polars' are to those who don't know polars."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.table = _with_text_of(frame, pa.string_view())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return int(self.table.num_rows)


def _table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def _with_text_of(frame: pd.DataFrame, kind: pa.DataType) -> pa.Table:
    columns = {
        name: pa.array(column.tolist()).cast(kind)
        if isinstance(column.iloc[0], str)
        else pa.array(column)
        for name, column in frame.items()
    }
    return pa.table(columns)


def _categories(frame: pd.DataFrame) -> pa.Table:
    return _with_text_of(frame, pa.dictionary(pa.int32(), pa.string()))


def _record_batch(frame: pd.DataFrame) -> pa.RecordBatch:
    return pa.RecordBatch.from_pandas(frame, preserve_index=False)


FORMS: list[Form] = [_table, _record_batch, _categories, Foreign]


@pytest.mark.parametrize("form", FORMS)
def test_names_and_answers_are_those_of_pandas(form: Form) -> None:
    expected = ShrinkageModel(random_state=0).fit(X, SHARE)
    model = ShrinkageModel(random_state=0).fit(form(X), SHARE)
    assert list(model.feature_names_in_) == list(X.columns)
    for table in (X, form(X)):
        assert np.array_equal(model.predict(table), expected.predict(X))
        assert np.array_equal(expected.predict(table), expected.predict(X))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("order", [slice(None, None, -1), slice(1, None)], ids=["order", "fewer"])
def test_other_columns_are_refused_as_those_of_pandas(form: Form, order: slice) -> None:
    model = ShrinkageModel(random_state=0).fit(form(X), SHARE)
    changed = X[list(X.columns)[order]]
    with pytest.raises(ValueError, match="feature names should match") as expected:
        model.predict(changed)
    with pytest.raises(ValueError, match="feature names should match") as actual:
        model.predict(form(changed))
    assert str(actual.value) == str(expected.value)


def test_single_column_is_refused_as_an_array_of_one_dimension() -> None:
    model = ShrinkageModel(random_state=0).fit(_table(X), SHARE)
    with pytest.raises(ValueError, match="2D array"):
        model.predict(pa.chunked_array([[1.0, 2.0]]))
