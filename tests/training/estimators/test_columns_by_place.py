"""Tables at predict whose columns have no names, or had none in fit."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tests.worlds.makers import draw_shares
from training.estimators.base import ShareModel
from training.estimators.boosted import SellThroughModel
from training.estimators.shrinkage import ShrinkageModel

MARKET = draw_shares(300)
X = MARKET.X

MODELS: list[ShareModel] = [
    ShrinkageModel(calibration_share=0.3),
    SellThroughModel(boosters=1, trees=10),
]
UNNAMED = "X does not have valid feature names"
NAMED = "X has feature names, but"
Form = Callable[[pd.DataFrame], object]


def _array(table: pd.DataFrame) -> object:
    return table.to_numpy(dtype=object)


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_axis(list(range(table.shape[1])), axis=1)


def _by_year(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_axis(list(range(2020, 2020 + table.shape[1])), axis=1)


def _from_one(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_axis(list(range(1, 1 + table.shape[1])), axis=1)


def _by_day(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_axis(pd.date_range("2026-01-01", periods=table.shape[1]), axis=1)


def _numbered_in_text(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_axis([str(place) for place in range(table.shape[1])], axis=1)


def _misleading(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose first column is called x5, as the last one of an array is."""
    return table.set_axis([f"x{place}" for place in range(5, -1, -1)], axis=1)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    return table


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize(
    ("fitted_on", "asked_in"),
    [
        (_array, _numbered),
        (_numbered, _array),
        (_by_year, _array),
        (_array, _from_one),
        (_numbered, _numbered),
        (_from_one, _from_one),
        (_by_day, _by_day),
    ],
)
def test_table_without_names_is_read_by_place(
    fitted_on: Form, asked_in: Form, model: ShareModel
) -> None:
    expected = model.fit(X, MARKET.y).predict(X).tolist()
    model.fit(fitted_on(X), MARKET.y)
    assert model.predict(asked_in(X)).tolist() == expected


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize(
    ("fitted_on", "asked_in", "warning"),
    [
        (_named, _array, UNNAMED),
        (_named, _numbered, UNNAMED),
        (_array, _named, NAMED),
        (_numbered, _named, NAMED),
    ],
)
def test_names_on_one_side_alone_warn_as_scikit_learn_does(
    fitted_on: Form, asked_in: Form, warning: str, model: ShareModel
) -> None:
    expected = model.fit(X, MARKET.y).predict(X).tolist()
    model.fit(fitted_on(X), MARKET.y)
    with pytest.warns(UserWarning, match=warning):
        found = model.predict(asked_in(X))
    assert found.tolist() == expected


def test_groups_and_order_are_found_by_place_too() -> None:
    table = X.assign(day=np.arange(len(X)))
    model = SellThroughModel(
        groups=["region", "maker"], calibration_order="day", boosters=1, trees=10
    ).fit(table, MARKET.y)
    expected = model.predict(table).tolist()
    with pytest.warns(UserWarning, match=UNNAMED):
        assert model.predict(_array(table)).tolist() == expected
    with pytest.warns(UserWarning, match=UNNAMED):
        low, high = model.predict_interval(_array(table))
    assert ((low <= expected) & (expected <= high)).all()


def test_numbered_columns_in_another_order_are_read_by_their_numbers() -> None:
    model = ShrinkageModel(groups=["2021"]).fit(_by_year(X), MARKET.y)
    shuffled = _by_year(X)[list(range(2025, 2019, -1))]
    assert model.predict(shuffled).tolist() == model.predict(_by_year(X)).tolist()


@pytest.mark.parametrize(
    ("fitted_on", "asked_in", "warning"),
    [(_misleading, _array, UNNAMED), (_array, _misleading, NAMED)],
)
def test_names_that_an_array_could_be_given_mean_nothing(
    fitted_on: Form, asked_in: Form, warning: str
) -> None:
    expected = MODELS[1].fit(X, MARKET.y).predict(X).tolist()
    model = MODELS[1].fit(fitted_on(X), MARKET.y)
    with pytest.warns(UserWarning, match=warning):
        assert model.predict(asked_in(X)).tolist() == expected


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.filterwarnings("ignore:X has feature names, but")
@pytest.mark.parametrize(
    ("fitted_on", "asked_in", "message"),
    [
        (_named, lambda table: table.to_numpy(dtype=object)[:, :5], "X has 5 features, but"),
        (_array, lambda table: table.iloc[:, :5], "X has 5 features, but"),
        (_array, lambda table: table.to_numpy(dtype=object)[:, :5], "X has 5 features, but"),
        (
            _named,
            _by_year,
            "are 2020, 2021, 2022, 2023, 2024, 2025, but in fit they were region, maker",
        ),
        (_by_year, _named, "but in fit they were 2020, 2021"),
        (
            _numbered,
            _from_one,
            "columns are 1, 2, 3, 4, 5, 6, but in fit they were 0, 1, 2, 3, 4, 5. Give",
        ),
        (
            _from_one,
            _numbered,
            "columns are 0, 1, 2, 3, 4, 5, but in fit they were 1, 2, 3, 4, 5, 6. Give",
        ),
        (
            _numbered_in_text,
            _from_one,
            "are 1, 2, 3, 4, 5, 6, but in fit they were 0, 1, 2, 3, 4, 5. Give",
        ),
        (_by_day, _numbered, "The columns are 0, 1, 2, 3, 4, 5, but in fit they were"),
    ],
)
def test_columns_that_cannot_be_told_are_refused(
    fitted_on: Form, asked_in: Form, message: str
) -> None:
    model = ShrinkageModel().fit(fitted_on(X), MARKET.y)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.predict(asked_in(X))
