from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import TARGETS
from serving.conformal.cells import build_interval_context, expected_orders, own_evidence
from serving.errors import BrokenFileError
from serving.prediction.booster import Booster
from serving.prediction.predict import Models, predict
from serving.prediction.target_model import TargetModel
from tests.worlds.serving import PARAMETERS, bundle_contents, random_columns, random_markets

COLUMNS = random_columns(300, seed=21)
MARKETS = random_markets(300)
USUAL = np.ones(300)


@pytest.fixture(scope="module")
def models() -> Models:
    return bundle_contents().models


@pytest.mark.parametrize("uplift", [1.0, 1.4])
def test_predictions_are_those_of_the_models_on_the_design_matrix(
    uplift: float, models: Models
) -> None:
    demand = np.where(np.arange(300) % 3 == 0, uplift, 1.0)
    predictions = predict(models, COLUMNS, MARKETS, coverage=0.9, demand=demand)
    matrix = CATALOGUE.design_matrix(COLUMNS, PARAMETERS)
    np.testing.assert_array_equal(predictions.matrix, matrix)
    np.testing.assert_array_equal(predictions.own_evidence, own_evidence(COLUMNS))
    sold = models.targets["sell_through"].predict(matrix, demand).share
    exposure = expected_orders(COLUMNS["units_offered"], sold)
    context = build_interval_context(MARKETS, COLUMNS, exposure)
    for target in TARGETS:
        outlook = models.targets[target].predict(matrix, demand)
        low, high = outlook.interval(context, coverage=0.9)
        np.testing.assert_array_equal(predictions.targets[target].estimate, outlook.share)
        np.testing.assert_array_equal(predictions.targets[target].low, low)
        np.testing.assert_array_equal(predictions.targets[target].high, high)


def test_more_demand_sells_more_and_its_interval_moves_up(models: Models) -> None:
    demand = np.where(np.arange(300) % 3 == 0, 1.4, 1.0)
    more, usual = (
        predict(models, COLUMNS, MARKETS, coverage=0.8, demand=one).targets["sell_through"]
        for one in (demand, USUAL)
    )
    for part in ("estimate", "low", "high"):
        rise = getattr(more, part) - getattr(usual, part)
        assert (rise >= 0).all()
        assert (rise[demand > 1] > 0).any()
        np.testing.assert_array_equal(rise[demand == 1], 0.0)


def test_score_is_sell_through_that_stays_sold(models: Models) -> None:
    predictions = predict(models, COLUMNS, MARKETS, coverage=0.8, demand=USUAL)
    assert predictions.score is not None
    for row, score in enumerate(predictions.score.tolist()):
        sold = predictions.targets["sell_through"].estimate[row]
        assert score == sold * (1 - predictions.targets["return_risk"].estimate[row])


def test_prediction_of_a_row_doesnt_depend_on_its_neighbours(models: Models) -> None:
    together = predict(models, COLUMNS, MARKETS, coverage=0.8, demand=USUAL)
    for row in range(0, 300, 7):
        columns = {name: column[row : row + 1] for name, column in COLUMNS.items()}
        alone = predict(models, columns, MARKETS[row : row + 1], coverage=0.8, demand=USUAL[:1])
        for target in TARGETS:
            for part in ("estimate", "low", "high"):
                value = getattr(alone.targets[target], part)[0]
                assert value == getattr(together.targets[target], part)[row]


def test_models_without_return_risk_predict_the_same_sell_through_and_no_score(
    models: Models,
) -> None:
    whole = predict(models, COLUMNS, MARKETS, coverage=0.8, demand=USUAL)
    alone = replace(models, targets={"sell_through": models.targets["sell_through"]})
    predictions = predict(alone, COLUMNS, MARKETS, coverage=0.8, demand=USUAL)
    assert list(predictions.targets) == ["sell_through"]
    assert predictions.score is None
    for part in ("estimate", "low", "high"):
        first, second = (
            getattr(result.targets["sell_through"], part) for result in (whole, predictions)
        )
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("names", [[], ["return_risk"], ["sell_through", "margin"]])
def test_models_without_sell_through_or_of_an_unknown_target_are_refused(
    names: list[str], models: Models
) -> None:
    model = models.targets["sell_through"]
    targets: dict[Any, TargetModel] = dict.fromkeys(names, model)
    with pytest.raises(BrokenFileError) as caught:
        replace(models, targets=targets)
    assert str(sorted(names)) in caught.value.problem


def test_models_with_other_parameters_are_refused(models: Models) -> None:
    with pytest.raises(BrokenFileError, match="pooling parameters"):
        replace(models, parameters={"return_rate_mean": 0.1})


def test_models_with_a_booster_of_other_columns_are_refused(models: Models) -> None:
    model = models.targets["sell_through"]
    first, second = CATALOGUE.model_inputs[:2]
    swapped = model.boosters[0].text.replace(f"={first} {second} ", f"={second} {first} ", 1)
    other = replace(model, boosters=(Booster(swapped),))
    with pytest.raises(BrokenFileError, match="input columns aren't"):
        replace(models, targets={**models.targets, "sell_through": other})
