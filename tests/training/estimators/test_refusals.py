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
from training.estimators.boosted import BOOSTER_SETTINGS, ReturnRiskModel, SellThroughModel
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
            "Expected labels y that are shares, from 0 to 1; found 3 missing (NaN)",
        ),
        (X, Y + 1, None, "outside among 200"),
        (X, np.zeros(200), None, "slice is 0"),
        (X, np.ones(200), None, "slice is 1"),
        (X, FEW, None, "above 0, but has 5"),
        (X, Y, np.zeros(200), "found a sample weight of zero in every row"),
        (X, Y, -MARKET.trials, "200 missing, infinite or negative sample weights among 200"),
        (
            X,
            Y,
            np.full(200, 1.7e308),
            "zero or from 1e-15 to 1e+15, some above zero; found 200 of 200 beyond: they go from",
        ),
        (
            X,
            Y,
            np.where(np.arange(200) < 7, 1e-300, 1e300),
            "they go from 1e-300 to 1e+300. Give each row",
        ),
        (
            X,
            Y,
            np.where(np.arange(200) < 7, 1e-16, 0),
            "7 of 200 beyond: they go from 1e-16 to 1e-16",
        ),
        (
            X.set_axis([1, *X.columns[1:]], axis=1),
            Y,
            None,
            "names of columns that are all text, or none of them; found 1 beside text. Make",
        ),
        (X.set_axis([None, *X.columns[1:]], axis=1), Y, None, "found nan beside text. Make them"),
        (X.set_axis([np.nan, *X.columns[1:]], axis=1), Y, None, "found nan beside text. Make them"),
        (
            X.set_axis([("a", 1), 2, *X.columns[2:]], axis=1),
            Y,
            None,
            "found ('a', 1), 2 beside text. Make them text",
        ),
        (X, Y, np.array([10**400] * 200), "found a number that no float can hold. Give each row"),
        (X, np.array([10**400] * 200), None, "found a number that no float can hold. Leave out"),
        (X, Y[:-1], None, "inconsistent numbers of samples"),
        (X, Y, MARKET.trials[:-1], "inconsistent numbers of samples"),
        (X[:3], Y[:3], None, "Expected at least 5 samples with a weight above zero; found 3"),
        (X.assign(price=np.inf), Y, None, "column 'price'; found infinity in 200 rows"),
        (X.assign(price=pd.Timestamp(0)), Y, None, "column 'price'; found type datetime64"),
        (
            X.assign(colour=pd.Series([["a"]] * 200, dtype=object)),
            Y,
            None,
            "column 'colour'; found unhashable type",
        ),
        (X.assign(price=1j), Y, None, "column 'price'; found type complex128"),
        (pd.concat([X, X], axis=1), Y, None, "each column name once"),
        (
            pd.concat({"mean": X}, axis=1),
            Y,
            None,
            "columns with one name each; found names of several levels (MultiIndex): ('mean', ",
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
        ({"groups": ["maker", "brand"]}, "groups to name columns of the table"),
        ({"groups": ["maker", "maker"]}, "Expected each column once"),
        ({"groups": "maker"}, "groups to be a list of columns' names, each a text"),
        ({"groups": "maker"}, "found 'maker'. Change the parameter groups."),
        ({"groups": [1]}, "each a text ('1' for a column 1); found [1]."),
        ({"groups": 1}, "found 1. Change the parameter groups."),
        ({"groups": {"maker", "region"}}, "groups to be a list of columns' names"),
        ({"groups": [["maker"]]}, "found [['maker']]. Change the parameter groups."),
        ({"monotone": [1, 0]}, "monotone to be a mapping of columns' names to -1, 0 or 1; found"),
        ({"monotone": "price"}, "found 'price'. Change the parameter monotone."),
        ({"monotone": {1: 1}}, "monotone to be a list of columns' names, each a text"),
        ({"monotone": {"price": True}}, "-1, 0 or 1 for a column; found {'price': True}"),
        ({"monotone": {"price": [1]}}, "-1, 0 or 1 for a column; found {'price': [1]}"),
        ({"monotone": {"maker": 1}}, "monotone to name columns of the table: price, is_big, stock"),
        ({"monotone": {"price": 2}}, "-1, 0 or 1 for a column; found {'price': 2}"),
        (
            {"trees": 0},
            "trees to be greater than or equal to 1; found 0. Change the parameter trees.",
        ),
        ({"min_samples_leaf": 3_000_000_000}, "found 3000000000. Change the parameter min_sample"),
        ({"trees": 10**400}, "Expected a number; found 1000"),
        ({"trees": 5.5}, "found 5.5. Change the parameter trees."),
        ({"leaves": 1}, "found 1. Change the parameter leaves."),
        ({"known_share": 0}, "Change the parameter known_share."),
        ({"leaf_ridge": -1}, "Change the parameter leaf_ridge."),
        ({"leaf_ridge": 10**400}, "Change the parameter leaf_ridge."),
        ({"leaf_ridge": float("inf")}, "found inf. Change the parameter leaf_ridge."),
        ({"leaf_ridge": float("nan")}, "found nan. Change the parameter leaf_ridge."),
        ({"monotone": {"price": -(10**400)}}, "-1, 0 or 1 for a column; found"),
        ({"groups": np.array("maker")}, "groups to be a list of columns' names"),
        ({"calibration_share": 1}, "Change the parameter calibration_share."),
        ({"calibration_groups": "brand"}, "found brand. Change the parameter calibration_groups."),
        (
            {"calibration_groups": "maker", "calibration_order": "price"},
            "one of calibration_groups and calibration_order; found both",
        ),
        ({"calibration_groups": 1}, "calibration_groups to be a column's name as a text"),
        ({"calibration_order": ["stock"]}, "or None; found ['stock']."),
        (
            {"calibration_order": "stock", "groups": ["maker", "stock"]},
            "a column that isn't in groups: moments to order by aren't learned from; found stock.",
        ),
        (
            {"calibration_order": "stock", "monotone": {"stock": 1}},
            "a column that isn't in monotone: moments to order by aren't learned from; found stock",
        ),
        ({"calibration_order": "price"}, "values of column 'price' that part the rows"),
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
        ("leaf_ridge", "a number from 0 on"),
        ("known_share", "a share of the rows above 0, at most 1"),
        ("calibration_share", "a share of the rows between 0 and 1"),
        ("min_positives", "a number from 0 on"),
        *((name, "a number") for name in BOOSTER_SETTINGS),
    ],
)
def test_parameter_that_is_no_number_is_refused(
    parameter: str, expected: str, value: object
) -> None:
    with pytest.raises(ValueError, match=_literally(f"Expected {expected}; found")) as refusal:
        SellThroughModel().set_params(**{parameter: value}).fit(X, Y)
    assert str(refusal.value).endswith(f"Change the parameter {parameter}.")


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
    others = {"groups", "monotone", "calibration_groups", "calibration_order"}
    assert set(SellThroughModel().get_params()) == {*NUMBERS, *others}


@pytest.mark.parametrize("target", ["x", None, ["return_risk"], np.array(["return_risk"] * 2)])
@pytest.mark.parametrize("labels", [Y, FEW])
def test_target_that_none_is_called_is_refused(labels: FloatArray, target: Any) -> None:  # noqa: ANN401 - whatever
    with pytest.raises(ParameterError, match="Expected target to be sell_through or return_risk"):
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
    with pytest.raises(ValueError, match="columns to learn from beside that of calibration_order"):
        model(calibration_order="stock").fit(X[["stock"]], Y)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("calibration_order", [1, "a"] * 100, "column 'other' that part the rows in two slices"),
        ("calibration_groups", [[1], [2]] * 100, "column 'other'; found unhashable type"),
    ],
)
def test_column_that_parts_no_rows_is_refused(
    parameter: str, value: list[Any], message: str
) -> None:
    table = X.assign(other=pd.Series(value, dtype=object))
    with pytest.raises(ValueError, match=_literally(message)):
        ShrinkageModel().set_params(**{parameter: "other"}).fit(table, Y)


@pytest.mark.parametrize("coverage", [0.0, 1.0, -1.0, 80.0, *NO_NUMBERS])
def test_level_that_is_no_share_is_refused(coverage: float) -> None:
    model = ShrinkageModel(groups=["maker"]).fit(X, Y)
    with pytest.raises(ValueError, match="Expected a coverage between 0 and 1"):
        model.predict_interval(X, coverage)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[table.columns[::-1]], "must be in the same order"),
        (lambda table: table.rename(columns={"price": "cost"}), "Feature names unseen at fit time"),
        (lambda table: table.drop(columns="price"), "Feature names seen at fit time, yet now"),
        (lambda table: table.assign(price="cheap"), "numbers in column 'price', as in fit"),
        (lambda table: table.assign(price=np.inf), "infinity in 200 rows"),
        (
            lambda table: table.set_axis([1, *table.columns[1:]], axis=1),
            "all text, or none of them; found 1 beside text",
        ),
        (
            lambda table: table.assign(maker=[["a"]] * 200),
            "text or categories in column 'maker'; found unhashable type",
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
    with pytest.raises(ValueError, match="groups to name columns"):
        model.fit(X, Y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def _literally(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "().{}[]+'*?|" else letter for letter in text)
