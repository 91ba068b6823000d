from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from serving.prediction.booster import Booster
from serving.prediction.init_score import LOT
from tests.worlds.training import QUICK
from training.boosting.fit_boosters import fit_boosters
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import BoosterRequest, BoosterTexts, TrainingInput
from training.errors import InvalidLabelsError, OneClassError, TooFewPositivesError
from training.settings import TrainingSettings

START = 0.3

Requests = dict[str, BoosterRequest]


@pytest.fixture(scope="module")
def requests(splits: dict[Target, TargetSplit]) -> Requests:
    return {
        target: BoosterRequest(target, split.train, QUICK.boosters, START)
        for target, split in splits.items()
    }


@pytest.fixture(scope="module")
def texts(training_input: TrainingInput, requests: Requests) -> BoosterTexts:
    return fit_boosters(training_input.request_matrix, requests, CATALOGUE, QUICK)


@pytest.mark.parametrize("threads", [1, 3])
def test_boosters_do_not_depend_on_the_number_of_threads(
    threads: int, texts: BoosterTexts, training_input: TrainingInput, requests: Requests
) -> None:
    settings = QUICK.model_copy(update={"threads": threads})
    assert fit_boosters(training_input.request_matrix, requests, CATALOGUE, settings) == texts


def test_boosters_are_what_lightgbm_alone_trains(
    texts: BoosterTexts, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    train = splits["return_risk"].train
    parameters: dict[str, Any] = {
        "objective": "cross_entropy",
        "num_leaves": QUICK.leaves,
        "learning_rate": QUICK.learning_rate,
        "min_data_in_leaf": QUICK.min_samples_leaf,
        "lambda_l2": QUICK.leaf_ridge,
        "feature_fraction": 0.6,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "max_bin": 63,
        "data_random_seed": 0,
        "bagging_seed": 1,
        "feature_fraction_seed": 1,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        "monotone_constraints": [0] * len(CATALOGUE.model_inputs),
        "feature_contri": [float(name != LOT) for name in CATALOGUE.model_inputs],
    }
    place = CATALOGUE.model_inputs.index("expected_return_rate_180d")
    inputs = training_input.design_matrix(train.rows)
    start = np.clip(inputs[:, place], 0.001, 0.999)
    rows = lightgbm.Dataset(
        inputs,
        train.label,
        weight=train.weight,
        init_score=START + np.log(start / (1 - start)),
    )
    alone = lightgbm.train(parameters, rows, num_boost_round=round(QUICK.trees / 10))
    ours = Booster(texts["return_risk"][1])
    np.testing.assert_allclose(ours.predict(inputs), alone.predict(inputs), rtol=1e-9)


def test_boosters_differ_by_seed_and_know_their_inputs(texts: BoosterTexts) -> None:
    for ours in texts.values():
        assert len(set(ours)) == QUICK.boosters
        assert all(Booster(text).feature_names == CATALOGUE.model_inputs for text in ours)


@pytest.mark.parametrize("number", range(QUICK.boosters))
def test_boosters_never_expect_more_demand_at_a_higher_price(
    number: int, texts: BoosterTexts, training_input: TrainingInput
) -> None:
    columns = {one: values[::40] for one, values in training_input.training_set.columns.items()}
    name, sums = "list_price_minor", []
    for factor in (0.25, 0.5, 1.0, 2.0, 4.0):
        changed = {**columns, name: columns[name] * factor}
        matrix = CATALOGUE.design_matrix(changed, training_input.parameters)
        sums.append(Booster(texts["sell_through"][number]).sum_trees(matrix))
    steps = np.diff(sums, axis=0)
    assert (steps <= 0).all()
    assert (steps < 0).any()


def test_no_tree_splits_on_the_lot(texts: BoosterTexts) -> None:
    for text in (text for boosters in texts.values() for text in boosters):
        lines = text.splitlines()
        splits = [line.partition("=")[2].split() for line in lines if "split_feature=" in line]
        used = {CATALOGUE.model_inputs[int(number)] for line in splits for number in line}
        assert len(used) > 1
        assert LOT not in used


@pytest.mark.parametrize(
    ("labels", "error"),
    [
        ((0.0, float("nan")), InvalidLabelsError),
        ((0.0, 1.5), InvalidLabelsError),
        ((0.0, 0.0), OneClassError),
        ((0.0, 0.0, 0.0, 1.0), TooFewPositivesError),
    ],
)
def test_boosters_are_refused_labels_that_lightgbm_would_take(
    labels: tuple[float, ...], error: type[Exception]
) -> None:
    label = np.array(labels)
    sample = Sample(np.arange(label.size), label, np.ones_like(label))
    matrix = np.zeros((label.size, len(CATALOGUE.model_inputs)))
    requests = {"one": BoosterRequest("return_risk", sample, 1)}
    with pytest.raises(error, match="return_risk"):
        fit_boosters(lambda _: matrix, requests, CATALOGUE, QUICK)


@pytest.mark.parametrize(
    ("target", "share", "trees"),
    [
        ("sell_through", 0.5, 40),
        ("sell_through", 0.01, 40),
        ("return_risk", 0.5, 20),
        ("return_risk", 1.0, 40),
        ("return_risk", 0.01, 1),
    ],
)
def test_trees_that_correct_a_formula_are_a_share_of_all(
    target: Target, share: float, trees: int
) -> None:
    assert TrainingSettings(trees=40, correcting_share=share).tree_count(target) == trees
