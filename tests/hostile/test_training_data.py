"""H34 and H36: labels that are not final, and tables that can't teach, are refused or counted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.runtime.errors import TrainingError
from features.runtime.progress import ignore_progress
from tests.worlds.training import HORIZONS, QUICK, market_rows
from training.data.training_input import TrainingRecipe
from training.errors import (
    InvalidLabelsError,
    NoLabelsError,
    OneClassError,
    TooFewDaysError,
    TooFewPositivesError,
)
from training.fit.train import TrainOutput, train

RECIPE = TrainingRecipe(HORIZONS, CATALOGUE, QUICK.model_copy(update={"trees": 5, "boosters": 1}))
FEW_ROWS = 3


def trained_on(rows: pa.Table) -> TrainOutput:
    return train(rows, RECIPE, git_commit="unknown", progress=ignore_progress)


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return market_rows()


def _with(rows: pa.Table, name: str, values: object) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, values)


def _labelled(rows: pa.Table, target: str, value: float) -> pa.Table:
    """Give every final row that has a label of a target the same one."""
    is_known = pc.and_(rows[f"{target}_is_mature"], pc.is_valid(rows[target]))
    return _with(rows, target, pc.if_else(is_known, value, rows[target]))


def _few_positives(rows: pa.Table) -> pa.Table:
    label = rows["sell_through"].to_numpy().copy()
    label[~np.isnan(label)] = 0.0
    label[np.flatnonzero(~np.isnan(label))[:FEW_ROWS]] = 0.5
    return _with(rows, "sell_through", pa.array(label, from_pandas=True))


def _one_missing(rows: pa.Table) -> pa.Table:
    label = rows["sell_through"].to_numpy().copy()
    label[np.flatnonzero(~np.isnan(label))[0]] = np.nan
    return _with(rows, "sell_through", pa.array(label))


def _none_final(rows: pa.Table) -> pa.Table:
    nothing = pa.array(np.zeros(rows.num_rows, np.bool_))
    return _with(rows, "return_risk_is_mature", nothing)


REFUSED = {
    "H36 nothing sells": (
        lambda rows: _labelled(rows, "sell_through", 0.0),
        OneClassError,
        "slice is 0",
    ),
    "H36 everything comes back": (
        lambda rows: _labelled(rows, "return_risk", 1.0),
        OneClassError,
        "slice is 1",
    ),
    "H36 too few positives": (_few_positives, TooFewPositivesError, "sell_through above 0"),
    "H36 a final label is NaN": (_one_missing, InvalidLabelsError, "1 of "),
    "H36 all labels are NaN": (
        lambda rows: _labelled(rows, "return_risk", float("nan")),
        (NoLabelsError, InvalidLabelsError),
        "return_risk",
    ),
    "H36 a label beyond 1": (
        lambda rows: _labelled(rows, "sell_through", 1.5),
        InvalidLabelsError,
        "outside 0 and 1",
    ),
    "H34 no label window is over": (_none_final, NoLabelsError, "a final return_risk"),
    "H35 no row": (lambda rows: rows.slice(0, 0), NoLabelsError, "a final"),
    "H36 one market of three rows": (
        lambda rows: rows.slice(0, FEW_ROWS),
        TooFewDaysError,
        "days",
    ),
}


@pytest.mark.parametrize(("spoil", "refusal", "says"), REFUSED.values(), ids=REFUSED)
def test_rows_that_cant_teach_are_refused_with_the_reason_and_the_way_out(
    spoil: object, refusal: type[TrainingError], says: str, rows: pa.Table
) -> None:
    assert callable(spoil)
    with pytest.raises(refusal, match=says) as caught:
        trained_on(spoil(rows))
    assert caught.value.exit_code == 4
    assert caught.value.hint


def test_rows_whose_label_window_is_not_over_are_counted_and_left_out(rows: pa.Table) -> None:
    # H34: what stands in an unfinished label changes nothing but the count that is told.
    place = rows.column_names.index("sell_through")
    filled = pc.if_else(rows["sell_through_is_mature"], rows["sell_through"], 0.5)
    as_is, changed = trained_on(rows), trained_on(rows.set_column(place, "sell_through", filled))
    assert as_is.contents.metrics == changed.contents.metrics
    for target, evaluation in as_is.evaluations.items():
        expected = sum(not final for final in rows[f"{target}_is_mature"].to_pylist())
        assert evaluation.rows_not_final == expected > 0
        assert f"{expected:,} rows have no final outcome yet" in as_is.contents.model_card
        assert evaluation.as_json()["rows_not_final"] == expected


def test_market_with_three_rows_is_merged_into_wider_cells(rows: pa.Table) -> None:
    # H36: it is learned from, but neither intervals nor measures are made of three rows.
    markets = rows["market"].to_pylist()
    days = rows["as_of_day"].to_numpy()
    last_final = np.flatnonzero(rows["sell_through_is_mature"].to_numpy() & (days < days.max()))
    for row in last_final[-FEW_ROWS:]:
        markets[row] = "ZZ"
    trained = trained_on(_with(rows, "market", pa.array(markets)))
    model = trained.contents.models.targets["sell_through"]
    assert not any("ZZ" in cell for cell in model.residuals.cells)
    evaluation = trained.evaluations["sell_through"]
    assert not any("ZZ" in name for name in evaluation.by_group)
    assert evaluation.by_group["other markets"]["model"].rows >= FEW_ROWS
    assert "| other markets | " in trained.contents.model_card
