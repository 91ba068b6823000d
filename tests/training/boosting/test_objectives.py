"""What each booster minimises: Tweedie of units is learned from shares, and by how many."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE, Catalogue
from features.declarations.targets import TARGETS, Target
from serving.prediction.booster import Booster
from tests.worlds.training import QUICK
from training.boosting.fit_boosters import fit_boosters
from training.boosting.objectives import booster_objectives, booster_parameters, tweedie_weight
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.settings import TrainingSettings

UNITS = CATALOGUE.model_inputs.index("units_offered")


@pytest.mark.parametrize(
    ("boosters", "share", "tweedie"),
    [
        (5, 0.2, 1),
        (5, 0.0, 0),
        (5, 1.0, 5),
        (1, 0.2, 0),
        (1, 0.5, 0),
        (2, 0.5, 1),
        (3, 0.2, 1),
        (5, 0.5, 2),
        (10, 0.2, 2),
    ],
)
def test_share_of_the_boosters_of_sell_through_counts_units(
    boosters: int, share: float, tweedie: int
) -> None:
    settings = TrainingSettings(boosters=boosters, tweedie_share=share, random_state=7)
    ours = {target: booster_objectives(target, CATALOGUE, settings) for target in TARGETS}
    objectives = [one.parameters["objective"] for one in ours["sell_through"]]
    assert objectives == ["cross_entropy"] * (boosters - tweedie) + ["tweedie"] * tweedie
    assert {one.parameters["objective"] for one in ours["return_risk"]} == {"cross_entropy"}
    for found in ours.values():
        assert [one.seed for one in found] == list(range(7, 7 + boosters))


def test_catalogue_that_does_not_say_the_units_gets_cross_entropy_alone() -> None:
    asked = tuple(one for one in CATALOGUE.request_fields if one.name != "units_offered")
    other = Catalogue(asked, CATALOGUE.base)
    found = booster_objectives("sell_through", other, QUICK)
    assert {one.parameters["objective"] for one in found} == {"cross_entropy"}
    assert {one.units for one in found} == {None}


def test_last_booster_of_sell_through_is_lightgbm_s_tweedie_of_weighed_shares(
    training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    train = splits["sell_through"].train
    texts = fit_boosters(training_input.design_matrix, {"sell_through": train}, CATALOGUE, QUICK)
    inputs = training_input.design_matrix(train.rows)
    parameters: dict[str, Any] = {
        **booster_parameters(CATALOGUE.monotone("sell_through"), QUICK),
        "objective": "tweedie",
        "tweedie_variance_power": 1.3,
        "bagging_seed": 1,
        "feature_fraction_seed": 1,
    }
    rows = lightgbm.Dataset(inputs, train.label, weight=inputs[:, UNITS] ** 0.7)
    alone = lightgbm.train(parameters, rows, num_boost_round=QUICK.trees)
    found = Booster(texts["sell_through"][-1]).predict(inputs)
    np.testing.assert_allclose(found, alone.predict(inputs), rtol=1e-9)


def test_shares_so_weighed_teach_what_units_with_an_offset_teach() -> None:
    rng = np.random.default_rng(0)
    inputs, units = rng.random((3_000, 4)), rng.integers(1, 400, 3_000).astype(float)
    sold = rng.binomial(units.astype(int), 0.1 + 0.5 * inputs[:, 0])
    parameters: dict[str, Any] = {
        "objective": "tweedie",
        "tweedie_variance_power": 1.3,
        "lambda_l2": 20.0,
        "num_leaves": 7,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }

    def tree_count(label: np.ndarray, weight: np.ndarray | None, start: np.ndarray) -> np.ndarray:
        rows = lightgbm.Dataset(inputs, label, weight=weight, init_score=start)
        booster = lightgbm.train(parameters, rows, num_boost_round=40)
        return np.asarray(booster.predict(inputs, raw_score=True))

    mean = np.log(sold.sum() / units.sum())
    of_units = tree_count(sold.astype(float), None, np.log(units) + mean)
    weight = tweedie_weight(units, np.ones_like(units))
    of_shares = tree_count(sold / units, weight, np.full(units.size, mean))
    assert of_shares.std() > 0.3
    np.testing.assert_allclose(of_shares, of_units, atol=1e-3)
