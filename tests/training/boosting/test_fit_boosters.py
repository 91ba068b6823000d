from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from serving.prediction.booster import Booster
from tests.worlds.training import QUICK
from training.boosting.fit_boosters import fit_boosters
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.errors import InvalidLabelsError, OneClassError, TooFewPositivesError
from training.settings import TrainingSettings

Texts = dict[Target, tuple[str, ...]]


@pytest.fixture(scope="module")
def texts(training_input: TrainingInput, splits: dict[Target, TargetSplit]) -> Texts:
    samples = {target: split.train for target, split in splits.items()}
    return fit_boosters(training_input.design_matrix, samples, CATALOGUE, QUICK)


@pytest.mark.parametrize("threads", [1, 3])
def test_boosters_do_not_depend_on_the_number_of_threads(
    threads: int, texts: Texts, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    samples = {target: split.train for target, split in splits.items()}
    settings = QUICK.model_copy(update={"threads": threads})
    assert fit_boosters(training_input.design_matrix, samples, CATALOGUE, settings) == texts


def test_boosters_are_what_lightgbm_alone_trains(
    texts: Texts, training_input: TrainingInput, splits: dict[Target, TargetSplit]
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
    }
    place = CATALOGUE.model_inputs.index("expected_return_rate_180d")
    inputs = training_input.design_matrix(train.rows)
    start = np.clip(inputs[:, place], 0.001, 0.999)
    rows = lightgbm.Dataset(
        inputs,
        train.label,
        weight=train.weight,
        init_score=np.log(start / (1 - start)),
    )
    alone = lightgbm.train(parameters, rows, num_boost_round=round(QUICK.trees / 10))
    ours = Booster(texts["return_risk"][1])
    np.testing.assert_allclose(ours.predict(inputs), alone.predict(inputs), rtol=1e-9)


def test_boosters_differ_by_seed_and_know_their_inputs(texts: Texts) -> None:
    for ours in texts.values():
        assert len(set(ours)) == QUICK.boosters
        assert all(Booster(text).feature_names == CATALOGUE.model_inputs for text in ours)


@pytest.mark.parametrize("place", range(QUICK.boosters), ids=["cross-entropy", "Tweedie"])
@pytest.mark.parametrize("name", ["units_offered", "list_price_minor"])
def test_boosters_never_foretell_more_sales_for_more_units_or_a_higher_price(
    name: str, place: int, texts: Texts, training_input: TrainingInput
) -> None:
    columns = {one: values[::40] for one, values in training_input.training_set.columns.items()}
    estimates = []
    for factor in (0.25, 0.5, 1.0, 2.0, 4.0):
        changed = {**columns, name: columns[name] * factor}
        matrix = CATALOGUE.design_matrix(changed, training_input.parameters)
        estimates.append(Booster(texts["sell_through"][place]).predict(matrix))
    steps = np.diff(estimates, axis=0)
    assert (steps <= 0).all()
    assert (steps < 0).any()


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
    with pytest.raises(error, match="return_risk"):
        fit_boosters(matrix.__getitem__, {"return_risk": sample}, CATALOGUE, QUICK)


@pytest.mark.parametrize(
    ("target", "names", "share", "trees"),
    [
        ("sell_through", CATALOGUE.model_inputs, 0.5, 40),
        ("sell_through", CATALOGUE.model_inputs, 0.01, 40),
        ("return_risk", CATALOGUE.model_inputs, 0.5, 20),
        ("return_risk", CATALOGUE.model_inputs, 1.0, 40),
        ("return_risk", CATALOGUE.model_inputs, 0.01, 1),
        ("return_risk", ("return_rate_180d",), 0.5, 40),
    ],
)
def test_trees_that_correct_a_formula_are_a_share_of_all(
    target: Target, names: tuple[str, ...], share: float, trees: int
) -> None:
    assert TrainingSettings(trees=40, correcting_share=share).tree_count(target, names) == trees
