"""Columns that hold another kind of values than in fit, and types that name no kind."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone

from tests.worlds.makers import draw_shares
from training.encoding.input_table import TableReader
from training.estimator_errors import ChangedKindError, InputError
from training.estimators.base import ShareModel
from training.estimators.boosted import SellThroughModel
from training.estimators.shrinkage import ShrinkageModel

MARKET = draw_shares(300)
X = MARKET.X
NUMBERED = X.assign(maker=X["maker"].str.removeprefix("maker ").astype(int))
TEXT = X.assign(maker=NUMBERED["maker"].astype(str))
MODELS: list[ShareModel] = [
    ShrinkageModel(groups=["maker"]),
    SellThroughModel(quick=True, boosters=1, trees=10, groups=["maker"]),
    SellThroughModel(boosters=1, trees=10),
]


@pytest.fixture(scope="module")
def fitted() -> ShareModel:
    model: ShareModel = clone(MODELS[1])
    return model.fit(X, MARKET.y)


def _objects(values: list[Any]) -> pd.Series:
    return pd.Series(values, dtype=object, name="column")


def _arrow(kind: pa.DataType, values: list[Any]) -> pd.Series:
    return pd.Series(values, dtype=pd.ArrowDtype(kind), name="column")


@pytest.mark.parametrize("model", MODELS[:2], ids=["shrinkage", "sell_through"])
@pytest.mark.parametrize(
    ("fitted_on", "asked", "known", "found"),
    [
        (NUMBERED, TEXT, "numbers", "text"),
        (TEXT, NUMBERED, "text", "numbers"),
        (TEXT, NUMBERED.assign(maker=NUMBERED["maker"].astype("category")), "text", "numbers"),
        (X.assign(maker=X["maker"].astype("category")), NUMBERED, "text", "numbers"),
        (NUMBERED, X.assign(maker=_objects([b"1"] * 300)), "numbers", "bytes"),
        (TEXT, X.assign(maker=pd.Timestamp(0)), "text", "times"),
        (TEXT, X.assign(maker=_objects([date(2026, 1, 1)] * 300)), "text", "dates"),
        (X.assign(maker=_objects([b"1", "1"] * 150)), NUMBERED, "bytes, text", "numbers"),
    ],
)
def test_categories_of_another_kind_than_in_fit_are_refused(
    fitted_on: pd.DataFrame, asked: pd.DataFrame, known: str, found: str, model: ShareModel
) -> None:
    model.fit(fitted_on, MARKET.y)
    message = f"Column 'maker' held {known} in fit, but holds {found} now. Give the column"
    with pytest.raises(ChangedKindError, match=re.escape(message)):
        model.predict(asked)


def test_kinds_of_every_column_are_compared_not_of_groups_alone() -> None:
    model = MODELS[2].fit(TEXT, MARKET.y)
    with pytest.raises(
        ChangedKindError, match="Column 'maker' held text in fit, but holds numbers now"
    ):
        model.predict(NUMBERED)


@pytest.mark.parametrize("model", MODELS[:2], ids=["shrinkage", "sell_through"])
@pytest.mark.parametrize(
    ("fitted_on", "unseen"),
    [
        (NUMBERED, 999),
        (NUMBERED, 0.5),
        (NUMBERED, Decimal("0.5")),
        (TEXT, "never seen"),
        (X.assign(maker=pd.Timestamp(0)), datetime(2026, 1, 1, tzinfo=UTC)),
        (X.assign(maker=_objects(["1", 2] * 150)), 3),
        (X.assign(maker=_objects(["1", 2] * 150)), "3"),
    ],
)
def test_unseen_levels_of_a_kind_of_fit_are_missing(
    fitted_on: pd.DataFrame, unseen: object, model: ShareModel
) -> None:
    model.fit(fitted_on, MARKET.y)
    expected = model.predict(fitted_on.assign(maker=None)).tolist()
    assert model.predict(fitted_on.assign(maker=_objects([unseen] * 300))).tolist() == expected


def test_column_in_which_a_part_is_of_another_kind_is_read() -> None:
    model = MODELS[0].fit(TEXT, MARKET.y)
    odd = TEXT.assign(maker=TEXT["maker"].astype(object).where(X.index > 0, 7))
    missing = TEXT.assign(maker=TEXT["maker"].where(X.index > 0))
    assert model.predict(odd).tolist() == model.predict(missing).tolist()


@pytest.mark.parametrize(
    "nothing", ["str", "string", "category", "float", object, "datetime64[ns]"]
)
@pytest.mark.parametrize("column", ["maker", "stock"])
def test_missing_values_alone_are_of_every_kind(
    column: str,
    nothing: Any,  # noqa: ANN401 - a type
    fitted: ShareModel,
) -> None:
    expected = fitted.predict(X.assign(**{column: np.nan})).tolist()
    asked = X.assign(**{column: pd.Series([None] * 300, dtype=nothing)})
    assert fitted.predict(asked).tolist() == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (_arrow(pa.bool_(), [True, None, False]), [1, np.nan, 0]),
        (_arrow(pa.null(), [None, None, None]), [np.nan] * 3),
        (_arrow(pa.int8(), [1, None, 2]), [1, np.nan, 2]),
        (_arrow(pa.float32(), [1, None, 0.5]), [1, np.nan, 0.5]),
        (_arrow(pa.decimal128(5, 2), [Decimal("1.25"), None, 2]), [1.25, np.nan, 2]),
        (_objects([Decimal("1.5"), 2.5, None]), [1.5, 2.5, np.nan]),
        (_objects([Decimal("1.5"), 2, pd.NA]), [1.5, 2, np.nan]),
        (_objects([True, 2.5, None]), [1, 2.5, np.nan]),
        (_objects([np.False_, 3, Fraction(1, 2)]), [0, 3, 0.5]),
        (_objects([np.float32(0.5), np.int8(3), float("nan")]), [0.5, 3, np.nan]),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")) or str(value),
)
def test_numbers_and_booleans_of_any_type_are_numbers(
    column: pd.Series, expected: list[float]
) -> None:
    frame = column.to_frame()
    numbers = TableReader.infer(frame, ()).read(frame).numbers
    assert numbers[:, 0].tolist() == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (_arrow(pa.dictionary(pa.int32(), pa.string()), ["b", None, "a"]), [1, -1, 0]),
        (_arrow(pa.dictionary(pa.int32(), pa.int64()), [20, None, 10]), [1, -1, 0]),
        (_arrow(pa.string(), ["b", None, "a"]), [1, -1, 0]),
        (_arrow(pa.large_string(), ["b", None, "a"]), [1, -1, 0]),
        (_objects(["b", None, 1.5]), [1, -1, 0]),
        (_objects([np.timedelta64(1, "D"), None, np.timedelta64(2, "D")]), [0, -1, 1]),
        (_objects([2j, None, 1j]), [1, -1, 0]),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")) or str(value),
)
def test_text_dictionaries_and_other_objects_are_categories(
    column: pd.Series, expected: list[int]
) -> None:
    frame = column.to_frame()
    assert TableReader.infer(frame, ()).read(frame).codes[:, 0].tolist() == expected


@pytest.mark.parametrize("model", MODELS, ids=["shrinkage", "sell_through", "no_groups"])
def test_table_of_arrow_types_gets_the_same_answers(model: ShareModel) -> None:
    expected = model.fit(X, MARKET.y).predict(X).tolist()
    text = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    arrow = X.astype({"region": text, "maker": text, "is_big": "bool[pyarrow]"})
    assert model.predict(arrow).tolist() == expected
    assert model.fit(arrow, MARKET.y).predict(X).tolist() == expected
    empty = X.assign(stock=_arrow(pa.null(), [None] * 300))
    without = X.assign(stock=np.nan)
    assert model.predict(empty).tolist() == model.predict(without).tolist()


@pytest.mark.parametrize("column", ["price", "stock"])
def test_number_that_no_float_can_hold_is_refused(column: str) -> None:
    huge = X.assign(**{column: _objects([10**400, 1.0] * 150)})
    message = f"Column {column!r} holds a number that no float can hold. Put NaN"
    with pytest.raises(InputError, match=message):
        ShrinkageModel().fit(huge, MARKET.y)
    model = MODELS[0].fit(X, MARKET.y)
    with pytest.raises(InputError, match=message):
        model.predict(huge)


def test_level_of_too_many_digits_to_print_is_refused() -> None:
    with pytest.raises(InputError, match=r"Column 'maker' can't be used \(Exceeds the limit"):
        MODELS[0].fit(X.assign(maker=_objects([10**5000, 1] * 150)), MARKET.y)


@pytest.mark.parametrize("kind", [pa.binary(), pa.timestamp("ns"), pa.list_(pa.int8())])
def test_arrow_type_of_neither_kind_is_refused(kind: pa.DataType) -> None:
    with pytest.raises(InputError, match=r"Column 'column' can't be used \(type "):
        TableReader.infer(_arrow(kind, [None]).to_frame(), ())


def test_dictionary_of_arrow_orders_no_rows() -> None:
    kind = pa.dictionary(pa.int32(), pa.string())
    table = X.assign(day=_arrow(kind, ["a", "b"] * 150))
    message = "Column 'day' can't divide the rows into two slices: its values have no order"
    with pytest.raises(InputError, match=message):
        ShrinkageModel(calibration_order="day").fit(table, MARKET.y)
