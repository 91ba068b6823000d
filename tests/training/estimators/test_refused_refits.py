"""A fitted model whose next fit is refused: it must answer as before, or it lies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from features.runtime.arrays import FloatArray
from features.runtime.errors import XuanpinError
from tests.worlds.makers import draw_shares
from training.estimators.base import ShareModel
from training.estimators.boosted import SellThroughModel
from training.estimators.shrinkage import ShrinkageModel

MARKET = draw_shares(300)
X = MARKET.X.assign(day=np.arange(300.0))
PARAMETERS: dict[str, Any] = {"groups": ["region", "maker"], "calibration_order": "day"}
MODELS: list[Callable[[], ShareModel]] = [
    lambda: ShrinkageModel(**PARAMETERS),
    lambda: SellThroughModel(boosters=1, trees=10, **PARAMETERS),
]
RELABELLED = X.assign(region=list("wxyz") * 75, maker=MARKET.X["maker"].str[::-1])


def _answers(model: ShareModel) -> list[list[float]]:
    return [model.predict(X).tolist(), *(bound.tolist() for bound in model.predict_interval(X))]


@pytest.mark.parametrize("make", MODELS, ids=["shrinkage", "sell_through"])
@pytest.mark.parametrize(
    ("table", "labels", "changes"),
    [
        (RELABELLED.assign(day=RELABELLED["day"].where(X["day"] > 3)), MARKET.y, {}),
        (RELABELLED.assign(price=np.inf), MARKET.y, {}),
        (RELABELLED.to_numpy(dtype=object), MARKET.y, {}),
        (RELABELLED[RELABELLED.columns[::-1]], MARKET.y * 0, {}),
        (RELABELLED, np.where(X["day"] < 250, 0.5, 0.1), {}),
        (RELABELLED.drop(columns="maker"), MARKET.y, {}),
        (RELABELLED, MARKET.y, {"calibration_order": "price"}),
        (RELABELLED, MARKET.y, {"groups": ["brand"]}),
        (X.rename(columns={"price": "cost"}), MARKET.y - 1, {}),
    ],
)
def test_refused_refit_leaves_the_fit_before(
    table: Any,  # noqa: ANN401 - frames and an array
    labels: FloatArray,
    changes: dict[str, Any],
    make: Callable[[], ShareModel],
) -> None:
    model = make().fit(X, MARKET.y)
    learned = {name: value for name, value in vars(model).items() if name.endswith("_")}
    expected = _answers(model)
    with pytest.raises(XuanpinError):
        model.set_params(**changes).fit(table, labels)
    assert _answers(model) == expected
    for name, value in learned.items():
        assert getattr(model, name) is value


def test_refit_forgets_the_names_of_the_fit_before() -> None:
    model = ShrinkageModel().fit(X, MARKET.y).fit(X.to_numpy(dtype=object), MARKET.y)
    assert not hasattr(model, "feature_names_in_")
