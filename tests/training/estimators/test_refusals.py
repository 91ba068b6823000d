from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from features.runtime.arrays import FloatArray
from features.runtime.errors import XuanpinError
from tests.worlds.makers import draw_shares
from training.estimator_errors import ParameterError
from training.estimators.base import ShareModel
from training.estimators.boosted import (
    BOOSTER_SETTINGS,
    CAPACITY,
    ReturnRiskModel,
    SellThroughModel,
)
from training.estimators.shrinkage import ShrinkageModel

MARKET = draw_shares(200)
X, Y = MARKET.X, MARKET.y
NAN_LABEL = np.where(np.arange(200) < 3, np.nan, Y)
FEW = np.where(np.arange(200) < 5, 0.5, 0.0)
MODELS = [SellThroughModel, ReturnRiskModel, ShrinkageModel]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("table", "labels", "weights", "message"),
    [
        (
            X,
            NAN_LABEL,
            None,
            "The labels y must be shares from 0 to 1, but 3 of 200 are missing (NaN)",
        ),
        (X, Y + 1, None, "0 of 200 are missing (NaN) and "),
        (X, np.zeros(200), None, "slice is 0"),
        (X, np.ones(200), None, "slice is 1"),
        (X, FEW, None, "above 0, but has 5"),
        (X, Y, np.zeros(200), "some above zero, but all are zero."),
        (X, Y, -MARKET.trials, "but 200 of 200 are missing, infinite or negative."),
        (
            X,
            Y,
            np.full(200, 1.7e308),
            "be zero or from 1e-15 to 1e+15, and some above zero, but 200 of 200 aren't: those",
        ),
        (
            X,
            Y,
            np.where(np.arange(200) < 7, 1e-300, 1e300),
            "those above zero go from 1e-300 to 1e+300. Give each row",
        ),
        (
            X,
            Y,
            np.where(np.arange(200) < 7, 1e-16, 0),
            "7 of 200 aren't: those above zero go from 1e-16 to 1e-16",
        ),
        (
            X.set_axis([1, *X.columns[1:]], axis=1),
            Y,
            None,
            "Some column names are text, but others aren't: 1. Make all of them text",
        ),
        (X.set_axis([None, *X.columns[1:]], axis=1), Y, None, "others aren't: nan. Make all"),
        (X.set_axis([np.nan, *X.columns[1:]], axis=1), Y, None, "others aren't: nan. Make all"),
        (
            X.set_axis([("a", 1), 2, *X.columns[2:]], axis=1),
            Y,
            None,
            "others aren't: ('a', 1), 2. Make all",
        ),
        (X, Y, np.array([10**400] * 200), "one is a number that no float can hold. Give each row"),
        (X, np.array([10**400] * 200), None, "one is a number that no float can hold. Leave out"),
        (X, Y[:-1], None, "inconsistent numbers of samples"),
        (X, Y, MARKET.trials[:-1], "inconsistent numbers of samples"),
        (X[:3], Y[:3], None, "3 sample(s) with a weight above zero; at least 5 are needed."),
        (X.assign(price=np.inf), Y, None, "Column 'price' holds infinity in 200 rows."),
        (X.assign(price=pd.Timestamp(0)), Y, None, "Column 'price' can't be used (type datetime64"),
        (
            X.assign(colour=pd.Series([["a"]] * 200, dtype=object)),
            Y,
            None,
            "Column 'colour' can't be used (unhashable type",
        ),
        (X.assign(price=1j), Y, None, "Column 'price' can't be used (type complex128)"),
        (pd.concat([X, X], axis=1), Y, None, "more than one column named region"),
        (
            pd.concat({"mean": X}, axis=1),
            Y,
            None,
            "The column names have several levels (MultiIndex): ('mean', ",
        ),
    ],
)
def test_rows_that_teach_nothing_are_refused(
    model: Callable[[], ShareModel],
    table: pd.DataFrame,
    labels: FloatArray,
    weights: FloatArray | None,
    message: str,
) -> None:
    with pytest.raises(ValueError, match=_literally(message)):
        model().fit(table, labels, weights)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"groups": ["maker", "brand"]}, "groups can't name brand. Choose from the columns"),
        ({"groups": ["maker", "maker"]}, "It must be a list that names each column once."),
        ({"groups": "maker"}, "It must be a list of column names, each a text"),
        ({"groups": "maker"}, "The parameter groups can't be 'maker'."),
        (
            {"groups": [1]},
            "groups can't be [1]. It must be a list of column names, each a text ('1' for",
        ),
        ({"groups": 1}, "The parameter groups can't be 1."),
        ({"groups": {"maker", "region"}}, "It must be a list of column names"),
        ({"groups": [["maker"]]}, "The parameter groups can't be [['maker']]."),
        ({"monotone": [1, 0]}, "monotone can't be [1, 0]. It must be a mapping of column names"),
        ({"monotone": "price"}, "The parameter monotone can't be 'price'."),
        (
            {"monotone": {1: 1}},
            "monotone can't be {1: 1}. It must be a mapping of column names, each a text",
        ),
        (
            {"monotone": {"price": True}},
            "can't be {'price': True}. It must be -1, 0 or 1 for a column.",
        ),
        (
            {"monotone": {"price": [1]}},
            "can't be {'price': [1]}. It must be -1, 0 or 1 for a column.",
        ),
        (
            {"monotone": {"maker": 1}},
            "monotone can't name maker. Choose from the columns price, is_big, stock.",
        ),
        ({"monotone": {"price": 2}}, "can't be {'price': 2}. It must be -1, 0 or 1 for a column."),
        (
            {"trees": 0},
            "The parameter trees can't be 0. It must be greater than or equal to 1.",
        ),
        ({"min_samples_leaf": 3_000_000_000}, "min_samples_leaf can't be 3000000000."),
        ({"trees": 10**400}, "The parameter trees can't be 1000"),
        ({"quick": "yes"}, "The parameter quick can't be 'yes'. It must be True or False."),
        ({"trees": 5.5}, "The parameter trees can't be 5.5."),
        ({"leaves": 1}, "The parameter leaves can't be 1."),
        ({"known_share": 0}, "The parameter known_share can't be 0."),
        ({"leaf_ridge": -1}, "The parameter leaf_ridge can't be -1."),
        ({"leaf_ridge": 10**400}, "The parameter leaf_ridge can't be 1000"),
        ({"leaf_ridge": float("inf")}, "The parameter leaf_ridge can't be inf."),
        ({"leaf_ridge": float("nan")}, "The parameter leaf_ridge can't be nan."),
        ({"monotone": {"price": -(10**400)}}, "It must be -1, 0 or 1 for a column."),
        ({"groups": np.array("maker")}, "It must be a list of column names"),
        ({"calibration_share": 1}, "The parameter calibration_share can't be 1."),
        ({"calibration_groups": "brand"}, "The parameter calibration_groups can't name brand."),
        (
            {"calibration_groups": "maker", "calibration_order": "price"},
            "calibration_groups and calibration_order are both set. Set one of them to None.",
        ),
        (
            {"calibration_groups": 1},
            "calibration_groups can't be 1. It must be a column name, a text",
        ),
        (
            {"calibration_order": ["stock"]},
            "calibration_order can't be ['stock']. It must be a column name, a text",
        ),
        (
            {"calibration_order": "stock", "groups": ["maker", "stock"]},
            "calibration_order and groups both name stock",
        ),
        (
            {"calibration_order": "stock", "monotone": {"stock": 1}},
            "calibration_order and monotone both name stock",
        ),
        ({"calibration_order": "price"}, "Column 'price' can't divide the rows into two slices"),
    ],
)
def test_parameter_out_of_range_is_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=_literally(message)) as refusal:
        SellThroughModel(**parameters).fit(X, Y)
    assert isinstance(refusal.value, XuanpinError)


NO_NUMBERS: list[Any] = ["0.5", "a", None, True, [0.5]]


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("leaf_ridge", "a number from 0 up"),
        ("known_share", "a share of the rows above 0, at most 1"),
        ("calibration_share", "a share of the rows between 0 and 1"),
        ("min_positives", "a number from 0 up"),
        *((name, "a number") for name in BOOSTER_SETTINGS if name != "leaf_ridge"),
    ],
)
def test_parameter_that_is_no_number_is_refused(
    parameter: str, expected: str, value: object
) -> None:
    if value is None and parameter in {"known_share", *CAPACITY}:
        pytest.skip("None leaves the choice to the fit")
    with pytest.raises(ValueError, match=f"The parameter {parameter} can't be") as refusal:
        SellThroughModel().set_params(**{parameter: value}).fit(X, Y)
    assert str(refusal.value).endswith(f"It must be {expected}.")


NUMBERS: dict[str, Any] = {
    "boosters": np.uint8(1),
    "trees": np.int64(5),
    "leaves": np.int16(4),
    "learning_rate": np.float32(0.5),
    "min_samples_leaf": np.float64(20),
    "leaf_ridge": np.int32(2),
    "known_share": np.float64(0.25),
    "min_positives": np.int64(3),
    "calibration_share": np.float32(0.25),
    "random_state": np.int64(7),
}


def test_numbers_of_numpy_are_numbers() -> None:
    plain = SellThroughModel(**{name: value.item() for name, value in NUMBERS.items()})
    expected = plain.fit(X, Y).predict(X).tolist()
    assert SellThroughModel(**NUMBERS).fit(X, Y).predict(X).tolist() == expected


def test_every_parameter_that_is_a_number_is_tested() -> None:
    others = {"groups", "monotone", "quick", "calibration_groups", "calibration_order"}
    assert set(SellThroughModel().get_params()) == {*NUMBERS, *others}


@pytest.mark.parametrize("target", ["x", None, ["return_risk"], np.array(["return_risk"] * 2)])
@pytest.mark.parametrize("labels", [Y, FEW])
def test_target_that_none_is_called_is_refused(labels: FloatArray, target: Any) -> None:  # noqa: ANN401 - whatever
    with pytest.raises(ParameterError, match="It must be sell_through or return_risk"):
        ShrinkageModel(target=target).fit(X, labels)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("least", "most"), [(1e-15, 1e15), (1, 1e15), (1e-15, 1)])
def test_weights_far_apart_but_possible_are_learned_from_without_a_warning(
    least: float, most: float, model: Callable[[], ShareModel]
) -> None:
    fitted = model().set_params(groups=["region", "maker"])
    predicted = fitted.fit(X, Y, np.where(np.arange(200) % 2, least, most)).predict(X)
    assert ((predicted >= 0) & (predicted <= 1)).all()


def test_none_as_groups_is_no_group() -> None:
    expected = ShrinkageModel(groups=()).fit(X, Y).predict(X).tolist()
    assert ShrinkageModel(groups=None).fit(X, Y).predict(X).tolist() == expected


@pytest.mark.parametrize("model", MODELS)
def test_column_to_order_by_alone_is_refused(model: Callable[..., ShareModel]) -> None:
    with pytest.raises(ValueError, match="no column beside that of calibration_order"):
        model(calibration_order="stock").fit(X[["stock"]], Y)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        (
            "calibration_order",
            [1, "a"] * 100,
            "'other' can't divide the rows into two slices: its values have no order",
        ),
        ("calibration_groups", [[1], [2]] * 100, "Column 'other' can't be used (unhashable type"),
    ],
)
def test_column_that_parts_no_rows_is_refused(
    parameter: str, value: list[Any], message: str
) -> None:
    table = X.assign(other=pd.Series(value, dtype=object))
    with pytest.raises(ValueError, match=_literally(message)):
        ShrinkageModel().set_params(**{parameter: "other"}).fit(table, Y)


@pytest.mark.parametrize("coverage", [0.0, 1.0, -1.0, 80.0, *NO_NUMBERS])
def test_coverage_that_is_no_share_is_refused(coverage: float) -> None:
    model = ShrinkageModel(groups=["maker"]).fit(X, Y)
    with pytest.raises(ValueError, match="It must be a number between 0 and 1"):
        model.predict_interval(X, coverage)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[table.columns[::-1]], "must be in the same order"),
        (lambda table: table.rename(columns={"price": "cost"}), "Feature names unseen at fit time"),
        (lambda table: table.drop(columns="price"), "Feature names seen at fit time, yet now"),
        (lambda table: table.assign(price="cheap"), "Column 'price' held numbers in fit"),
        (lambda table: table.assign(price=np.inf), "infinity in 200 rows"),
        (
            lambda table: table.set_axis([1, *table.columns[1:]], axis=1),
            "Some column names are text, but others aren't: 1",
        ),
        (
            lambda table: table.assign(maker=[["a"]] * 200),
            "Column 'maker' can't be used (unhashable type",
        ),
    ],
)
def test_other_columns_than_in_fit_are_refused(
    change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    model = ShrinkageModel(groups=["maker"]).fit(X, Y)
    assert model.feature_names_in_.tolist() == list(X.columns)
    with pytest.raises(ValueError, match=_literally(message)):
        model.predict(change(X))


def test_refused_fit_leaves_a_model_that_is_not_fitted() -> None:
    model = ShrinkageModel(groups=["brand"])
    with pytest.raises(ValueError, match="groups can't name brand"):
        model.fit(X, Y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def _literally(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "().{}[]+'*?|" else letter for letter in text)
