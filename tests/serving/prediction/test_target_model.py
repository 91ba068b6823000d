from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import TARGETS, Target
from serving.conformal.cells import build_interval_context
from serving.errors import BrokenFileError, InvalidPredictionError
from serving.prediction.init_score import LOT, ORDER_SIZE
from serving.prediction.outlook import DemandOutlook
from serving.prediction.predict import Models
from serving.prediction.target_model import DemandModel, ShareModel, sum_of_trees
from tests.worlds.serving import (
    PARAMETERS,
    bundle_contents,
    random_columns,
    random_markets,
    replace_leaves,
)

ROWS = 400
COLUMNS = random_columns(ROWS, seed=11)
MATRIX = CATALOGUE.design_matrix(COLUMNS, PARAMETERS)
NAMES = CATALOGUE.model_inputs
LOTS, ORDER_SIZES = (MATRIX[:, NAMES.index(name)] for name in (LOT, ORDER_SIZE))
USUAL = np.ones(ROWS)


@pytest.fixture(scope="module")
def models() -> Models:
    return bundle_contents().models


@pytest.fixture(scope="module")
def demand_model(models: Models) -> DemandModel:
    model = models.targets["sell_through"]
    assert isinstance(model, DemandModel)
    return model


def test_sell_through_is_the_share_of_the_demand_that_trees_expect(
    demand_model: DemandModel,
) -> None:
    first, second = (booster.sum_trees(MATRIX) for booster in demand_model.boosters)
    curve = demand_model.curve
    demand = np.exp(curve.shift + curve.stretch * (first + second) / 2)
    a, widened = curve.sharpness, LOTS + np.fmax(ORDER_SIZES, 1) - 1
    expected = curve.chance * (1 + (widened / demand) ** a) ** (-1 / a)
    actual = demand_model.predict(MATRIX, USUAL).share
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_return_risk_is_the_calibrated_share_of_formula_and_trees(models: Models) -> None:
    model = models.targets["return_risk"]
    assert isinstance(model, ShareModel)
    formula = np.clip(MATRIX[:, NAMES.index("expected_return_rate_180d")], 1e-3, 1 - 1e-3)
    odds = formula / (1 - formula) * np.exp(sum_of_trees(model.boosters, MATRIX))
    expected = np.interp(odds / (1 + odds), model.calibration.x, model.calibration.y)
    np.testing.assert_allclose(model.predict(MATRIX, USUAL).share, expected, rtol=1e-9)


def test_trees_of_sell_through_see_no_lot(demand_model: DemandModel) -> None:
    other = MATRIX.copy()
    other[:, NAMES.index(LOT)] *= 1000
    first, second = (sum_of_trees(demand_model.boosters, rows) for rows in (MATRIX, other))
    np.testing.assert_array_equal(first, second)


def test_calendar_multiplies_demand_and_leaves_return_risk_alone(models: Models) -> None:
    uplift = np.where(np.arange(ROWS) % 3 == 0, 1.4, 1.0)
    outlooks = [models.targets["sell_through"].predict(MATRIX, one) for one in (USUAL, uplift)]
    usual, adjusted = (outlook.demand for outlook in outlooks if isinstance(outlook, DemandOutlook))
    np.testing.assert_allclose(adjusted.demand, usual.demand * uplift, rtol=1e-12)
    first, second = (
        models.targets["return_risk"].predict(MATRIX, one).share for one in (USUAL, uplift)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("leaves", ["nan", "inf", "-inf"])
def test_estimate_of_leaves_that_are_no_numbers_is_an_error(
    leaves: str, target: Target, models: Models
) -> None:
    model = models.targets[target]
    broken = replace(model, boosters=(replace_leaves(model.boosters[0], leaves),))
    with pytest.raises(InvalidPredictionError) as caught:
        broken.predict(MATRIX, USUAL)
    assert caught.value.problem == (
        f"The model of {target} gives {ROWS} rows a prediction that is not a finite number."
    )


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("leaves", ["1e5", "-1e5", "1e300", "-1e300"])
def test_estimate_of_leaves_of_any_size_stays_a_share_with_its_interval(
    leaves: str, target: Target, models: Models
) -> None:
    model = models.targets[target]
    extreme = replace(model, boosters=(replace_leaves(model.boosters[0], leaves),))
    outlook = extreme.predict(MATRIX, USUAL)
    context = build_interval_context(random_markets(ROWS), COLUMNS, COLUMNS[LOT])
    low, high = outlook.interval(context, coverage=0.8)
    assert ((low >= 0) & (low <= outlook.share) & (outlook.share <= high) & (high <= 1)).all()


def test_model_without_boosters_is_refused(demand_model: DemandModel) -> None:
    with pytest.raises(BrokenFileError, match="no boosters"):
        replace(demand_model, boosters=())
