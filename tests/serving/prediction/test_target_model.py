from __future__ import annotations

from dataclasses import replace

import lightgbm
import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from serving.conformal.cells import build_interval_context
from serving.errors import BrokenFileError, InvalidPredictionError
from serving.prediction.booster import Booster
from serving.prediction.target_model import TargetModel
from tests.worlds.serving import (
    PARAMETERS,
    bundle_contents,
    random_columns,
    random_markets,
    replace_leaves,
)

COLUMNS = random_columns(400, seed=11)
MATRIX = CATALOGUE.design_matrix(COLUMNS, PARAMETERS)


@pytest.fixture(scope="module")
def model() -> TargetModel:
    return bundle_contents().models.targets["sell_through"]


def test_estimate_is_the_calibrated_mean_of_the_boosters(model: TargetModel) -> None:
    raw = (model.boosters[0].predict(MATRIX) + model.boosters[1].predict(MATRIX)) / 2
    expected = np.interp(raw, model.calibration.x, model.calibration.y)
    np.testing.assert_array_equal(model.predict(MATRIX), expected)


def _booster_of_units() -> Booster:
    sold = np.linspace(0, 3, 400)
    rows = lightgbm.Dataset(MATRIX, sold, feature_name=list(CATALOGUE.model_inputs))
    of_units = {"objective": "tweedie", "verbosity": -1, "num_threads": 1, "seed": 0}
    return Booster(lightgbm.train(of_units, rows, num_boost_round=50).model_to_string())


def test_booster_that_says_more_than_all_counts_as_all(model: TargetModel) -> None:
    """A booster of units may predict more than 1; the mean counts it as 1."""
    booster, units = model.boosters[0], _booster_of_units()
    assert (units.predict(MATRIX) > 1).any()
    actual = replace(model, boosters=(booster, units)).predict_raw(MATRIX)
    expected = (booster.predict(MATRIX) + np.clip(units.predict(MATRIX), 0, 1)) / 2
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(("leaves", "of_units"), [("nan", False), ("inf", True), ("1e5", True)])
def test_estimate_of_leaves_that_are_no_numbers_is_an_error(
    leaves: str, model: TargetModel, *, of_units: bool
) -> None:
    """A booster of units predicts the exponential of its leaves, which may be infinite."""
    booster = _booster_of_units() if of_units else model.boosters[0]
    broken = replace(model, boosters=(replace_leaves(booster, leaves),))
    with pytest.raises(InvalidPredictionError) as caught:
        broken.predict(MATRIX)
    assert caught.value.problem == (
        "The model of sell_through gives 400 rows a prediction that is not a finite number in "
        "[0, 1]."
    )


def test_interval_of_estimates_is_that_of_the_residuals(model: TargetModel) -> None:
    estimate = model.predict(MATRIX)
    context = build_interval_context(random_markets(400), COLUMNS, COLUMNS["units_offered"])
    low, high = model.interval(estimate, context, coverage=0.9)
    assert ((low <= estimate) & (estimate <= high)).all()
    expected = model.residuals.prob_at_least(estimate, context, threshold=0.5)
    np.testing.assert_array_equal(model.prob_at_least(estimate, context, threshold=0.5), expected)


def test_model_without_boosters_is_refused(model: TargetModel) -> None:
    with pytest.raises(BrokenFileError, match="no boosters"):
        replace(model, boosters=())
