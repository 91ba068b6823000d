"""Columns of which all was missing in fit, as the folds of a rare column are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_predict

from tests.worlds.makers import draw_shares
from training.estimators.base import ShareModel
from training.estimators.boosted import SellThroughModel
from training.estimators.shrinkage import ShrinkageModel

MARKET = draw_shares(300)
ROWS = len(MARKET.X)
NOTHING: dict[str, Any] = {
    "object": pd.Series([None] * ROWS, dtype=object),
    "text": pd.Series([None] * ROWS, dtype="str"),
    "number": np.full(ROWS, np.nan),
    "nullable": pd.Series([None] * ROWS, dtype="Int64"),
    "categorical": pd.Series([None] * ROWS, dtype="category"),
}
LATER: list[Any] = ["late", 7.0, np.inf, True, ["late"], pd.Timestamp("2026-01-01"), None]
MODELS: list[ShareModel] = [ShrinkageModel(), SellThroughModel(boosters=1, trees=10)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("nothing", NOTHING)
def test_column_without_values_in_fit_stays_missing(nothing: str, model: ShareModel) -> None:
    table = MARKET.X.assign(note=NOTHING[nothing])
    expected = model.fit(table, MARKET.y).predict(table).tolist()
    for later in LATER:
        asked = MARKET.X.assign(note=pd.Series([later] * ROWS))
        assert model.predict(asked).tolist() == expected, later


def test_group_without_values_in_fit_stays_missing() -> None:
    table = MARKET.X.assign(note=NOTHING["object"])
    model = ShrinkageModel(groups=["region", "note"]).fit(table, MARKET.y)
    asked = table.assign(note="late")
    assert model.predict(asked).tolist() == model.predict(table).tolist()


def test_text_so_rare_that_a_fold_lacks_it_is_cross_validated() -> None:
    note = pd.Series([None] * (ROWS - 5) + ["late"] * 5, dtype=object)
    table = MARKET.X.assign(note=note)
    predicted = cross_val_predict(SellThroughModel(boosters=1, trees=10), table, MARKET.y, cv=2)
    assert ((predicted > 0) & (predicted < 1)).all()
