from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.worlds.makers import draw_shares
from training.estimators.base import ShareModel
from training.estimators.boosted import ReturnRiskModel, SellThroughModel
from training.estimators.shrinkage import ShrinkageModel

GROUPS = ["region", "maker"]
MARKET = draw_shares(1500)
LATER = draw_shares(1000, seed=1)
MODELS: dict[str, ShareModel] = {
    "shrinkage": ShrinkageModel(groups=GROUPS),
    "sell_through": SellThroughModel(groups=GROUPS, monotone={"price": -1}, trees=60),
    "return_risk": ReturnRiskModel(quick=True, trees=60, calibration_groups="maker", boosters=1),
}


@pytest.fixture(scope="module", params=MODELS)
def fitted(request: pytest.FixtureRequest) -> ShareModel:
    model: ShareModel = clone(MODELS[request.param])
    return model.fit(MARKET.X, MARKET.y, MARKET.trials)


def test_estimator_beats_shrinkage_which_beats_the_mean() -> None:
    fits = {
        name: clone(model).fit(MARKET.X, MARKET.y, MARKET.trials) for name, model in MODELS.items()
    }
    score = {
        name: r2_score(LATER.y, model.predict(LATER.X), sample_weight=LATER.trials)
        for name, model in fits.items()
    }
    assert 0.1 < score["shrinkage"] < score["sell_through"] - 0.05
    assert score["shrinkage"] < score["return_risk"] - 0.05


def test_fit_is_deterministic_and_survives_a_pickle(fitted: ShareModel) -> None:
    again = clone(fitted).fit(MARKET.X, MARKET.y, MARKET.trials)
    restored = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - written here
    expected = fitted.predict(LATER.X).tolist()
    assert again.predict(LATER.X).tolist() == expected
    assert restored.predict(LATER.X).tolist() == expected


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(30)))
def test_prediction_does_not_depend_on_the_other_rows(order: list[int]) -> None:
    expected = _sell_through().predict(LATER.X[:30])
    low, high = _sell_through().predict_interval(LATER.X[:30])
    shuffled = LATER.X[:30].iloc[order]
    assert _sell_through().predict(shuffled).tolist() == expected[order].tolist()
    found = _sell_through().predict_interval(shuffled)
    assert [one.tolist() for one in found] == [low[order].tolist(), high[order].tolist()]


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_interval_holds_the_estimate_and_covers(coverage: float, fitted: ShareModel) -> None:
    estimate = fitted.predict(LATER.X)
    low, high = fitted.predict_interval(LATER.X, coverage)
    assert ((low >= 0) & (low <= estimate) & (estimate <= high) & (high <= 1)).all()
    covered = ((LATER.y >= low) & (LATER.y <= high)).mean()
    assert coverage - 0.06 < covered < coverage + 0.12


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-4, 4), min_size=2, max_size=6), st.integers(0, 999))
def test_monotone_constraint_holds(prices: list[float], row: int) -> None:
    table = pd.concat([LATER.X.iloc[[row]]] * len(prices)).assign(price=sorted(prices))
    assert (np.diff(_sell_through().predict(table)) <= 0).all()


def _sell_through(cache: dict[str, ShareModel] = {}) -> ShareModel:  # noqa: B006 - one fit a run
    if not cache:
        cache["model"] = clone(MODELS["sell_through"]).fit(MARKET.X, MARKET.y, MARKET.trials)
    return cache["model"]


NASTY = st.one_of(st.none(), st.text(max_size=5), st.integers(-(10**6), 10**6))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(NASTY, NASTY, st.floats(allow_infinity=False), NASTY), min_size=1, max_size=5
    )
)
def test_any_table_of_the_same_columns_gets_shares(rows: list[tuple[Any, ...]]) -> None:
    readable = ("region 1", "maker 1", 1.0, "red")  # without it, numbers alone may be asked
    region, maker, price, colour = (list(one) for one in zip(readable, *rows, strict=True))
    table = pd.DataFrame(
        {
            "region": pd.Series(region, dtype=object),
            "maker": pd.Series(maker, dtype=object),
            "price": price,
            "colour": pd.Series(colour, dtype=object),
            "is_big": True,
            "stock": pd.array([None] * len(price), dtype="Int64"),
        }
    )
    predicted = _sell_through().predict(table)
    assert ((predicted >= 0) & (predicted <= 1)).all()


@pytest.mark.parametrize("column", ["region", "maker", "colour"])
def test_unseen_level_is_missing(column: str, fitted: ShareModel) -> None:
    unseen = LATER.X.assign(**{column: "never seen"})
    missing = LATER.X.assign(**{column: None})
    assert fitted.predict(unseen).tolist() == fitted.predict(missing).tolist()


def test_missing_number_that_was_never_missing_is_the_median(fitted: ShareModel) -> None:
    table = LATER.X.assign(stock=float(MARKET.X["stock"].median()))
    missing = LATER.X.assign(stock=np.nan)
    assert fitted.predict(missing).tolist() == fitted.predict(table).tolist()


@pytest.mark.parametrize(
    "same",
    [
        {"maker": lambda column: column.astype("category")},
        {"maker": lambda column: column.astype(object)},
        {"is_big": lambda column: column.astype("boolean")},
        {"is_big": lambda column: column.astype(float)},
        {"price": lambda column: column.astype("Float64")},
        {"price": lambda column: column.astype(object).where(column.notna(), None)},
        {"stock": lambda column: column.astype(int)},
    ],
)
def test_same_values_in_another_type_give_the_same_answer(
    same: dict[str, Callable[[pd.Series], pd.Series]], fitted: ShareModel
) -> None:
    table = LATER.X.assign(**{name: change(LATER.X[name]) for name, change in same.items()})
    assert fitted.predict(table).tolist() == fitted.predict(LATER.X).tolist()


def test_pipeline_and_cross_validation_take_it(fitted: ShareModel) -> None:
    renamed = FunctionTransformer(lambda table: table.rename(columns={"shade": "colour"}))
    pipeline = Pipeline([("name", renamed), ("model", clone(fitted))])
    table = MARKET.X.rename(columns={"colour": "shade"})
    predicted = cross_val_predict(
        clone(pipeline), table, MARKET.y, cv=3, params={"model__sample_weight": MARKET.trials}
    )
    assert r2_score(MARKET.y, predicted, sample_weight=MARKET.trials) > 0.1


def test_group_of_three_rows_leans_on_the_wider_one() -> None:
    table = pd.DataFrame({"market": ["DE"] * 300 + ["MT"] * 3, "price": 1.0})
    rng = np.random.default_rng(0)
    y = np.append(rng.binomial(10, 0.3, 300) / 10, [1.0, 1.0, 1.0])
    model = SellThroughModel(groups=["market"]).fit(table, y)
    tiny, big, unseen = model.predict(pd.DataFrame({"market": ["MT", "DE", "XX"], "price": 1.0}))
    assert big == pytest.approx(0.3, abs=0.05)
    assert big < unseen < tiny < 1
    note, _ = model.notes_
    assert note.startswith("Estimates aren't calibrated: 61 rows were held back; 2,000 are needed")


def test_few_rows_of_unseen_groups_are_merged_and_it_is_said() -> None:
    market = draw_shares(300, makers=150)
    model = ShrinkageModel(groups=GROUPS).fit(market.X, market.y)
    _, note = model.notes_
    assert note.startswith("Intervals of rows in unseen groups use the residuals of all 60 rows")


@pytest.mark.parametrize(("rows", "notes"), [(9_990, 1), (10_000, 0)])
def test_table_too_small_for_a_curve_of_calibration_is_noted(rows: int, notes: int) -> None:
    market = draw_shares(rows)
    found = ShrinkageModel(groups=GROUPS).fit(market.X, market.y).notes_
    assert sum(one.startswith("Estimates aren't calibrated") for one in found) == notes


@pytest.mark.parametrize("parameter", ["calibration_groups", "calibration_order"])
def test_slice_held_back_in_full_groups_or_by_time_covers(parameter: str) -> None:
    column = {"calibration_groups": "maker", "calibration_order": "day"}[parameter]
    days = pd.date_range("2026-01-01", periods=len(MARKET.X), freq="h")
    table = MARKET.X.assign(day=days)
    model = SellThroughModel(groups=GROUPS, trees=40).set_params(**{parameter: column})
    model.fit(table if column == "day" else MARKET.X, MARKET.y, MARKET.trials)
    asked = LATER.X.assign(day=pd.Timestamp("2027-01-01")) if column == "day" else LATER.X
    low, high = model.predict_interval(asked)
    assert 0.74 < ((LATER.y >= low) & (LATER.y <= high)).mean() < 0.97
