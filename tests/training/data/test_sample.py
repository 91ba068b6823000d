from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from training.data.sample import (
    Sample,
    final_rows,
    find_weight_limit,
    is_learnable,
    refuse_unlearnable,
)
from training.data.training_set import TrainingSet
from training.errors import InvalidLabelsError, NoLabelsError, OneClassError, TooFewPositivesError

NOTHING = float("nan")


def _with_labels(training_set: TrainingSet, target: Target, value: float) -> TrainingSet:
    """Set the first final label of a target."""
    outcome = training_set.outcomes[target]
    label = outcome.label.copy()
    label[np.flatnonzero(outcome.is_mature & (outcome.weight > 0))[0]] = value
    changed = {**training_set.outcomes, target: replace(outcome, label=label)}
    return replace(training_set, outcomes=changed)


@pytest.mark.parametrize("target", ["sell_through", "return_risk"])
def test_final_rows_are_the_mature_ones_with_evidence(
    target: Target, training_set: TrainingSet
) -> None:
    outcome = training_set.outcomes[target]
    expected = [
        row
        for row in range(outcome.label.size)
        if outcome.is_mature[row] and outcome.weight[row] > 0
    ]
    sample = final_rows(training_set, target)
    assert sample.rows.tolist() == expected
    assert sample.label.tolist() == outcome.label[expected].tolist()
    assert sample.weight.tolist() == outcome.weight[expected].tolist()


@pytest.mark.parametrize("target", ["sell_through", "return_risk"])
@pytest.mark.parametrize("value", [NOTHING, -0.1, 1.1, float("inf")])
def test_final_rows_with_a_label_that_is_no_share_are_refused(
    value: float, target: Target, training_set: TrainingSet
) -> None:
    with pytest.raises(InvalidLabelsError, match="1 of"):
        final_rows(_with_labels(training_set, target, value), target)


def test_final_rows_of_returns_without_any_label_are_refused(training_set: TrainingSet) -> None:
    outcome = training_set.outcomes["return_risk"]
    nothing = replace(outcome, label=np.full_like(outcome.label, NOTHING))
    unripe = replace(training_set, outcomes={**training_set.outcomes, "return_risk": nothing})
    with pytest.raises(NoLabelsError, match="a final return_risk"):
        final_rows(unripe, "return_risk")


@pytest.mark.parametrize(
    ("label", "error"),
    [
        ([0.0, 0.0, 0.0], OneClassError),
        ([1.0, 1.0, 1.0], OneClassError),
        ([0.5, 0.5, 0.5], OneClassError),
        ([0.0, 0.0, 0.5], TooFewPositivesError),
    ],
)
def test_refuse_unlearnable_refuses_labels_that_teach_nothing(
    label: list[float], error: type[Exception]
) -> None:
    with pytest.raises(error):
        refuse_unlearnable("return_risk", "train", np.array(label), min_positives=2)


def test_refuse_unlearnable_accepts_enough_positives() -> None:
    refuse_unlearnable("return_risk", "train", np.array([0.0, 0.1, 1.0]), min_positives=2)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ([0.0, 0.1, 1.0], True),
        ([0.1, 1.0], False),
        ([0.0, 0.0, 0.5], False),
        ([1.0, 1.0, 1.0], False),
        ([], False),
    ],
)
def test_labels_are_learnable_if_there_are_enough_and_not_all_are_the_same(
    label: list[float], *, expected: bool
) -> None:
    assert is_learnable(np.array(label), min_rows=3, min_positives=2) is expected


def cap_weight(units: FloatArray) -> FloatArray:
    sample = Sample(np.arange(units.size), np.zeros(units.size), units)
    return sample.limit_weight(find_weight_limit(units)).weight


@pytest.mark.parametrize("mistyped", [1, 3, 10])
def test_a_few_mistyped_units_do_not_outweigh_all_other_rows(mistyped: int) -> None:
    rng = np.random.default_rng(0)
    units = np.floor(rng.lognormal(1.5, 1.2, 1000)) + 1
    spoilt = np.concatenate([units, np.full(mistyped, 1e6)])
    weight = cap_weight(spoilt)
    assert weight[-mistyped:].sum() < 0.5 * weight.sum() < 0.1 * spoilt.sum()
    assert np.array_equal(weight[:-mistyped], cap_weight(units))
    assert np.array_equal(cap_weight(units), units), "clean rows keep their weight"


@pytest.mark.parametrize("units", [[], [5.0], [1e6]])
def test_weights_of_hardly_any_row_are_its_units(units: list[float]) -> None:
    assert cap_weight(np.array(units)).tolist() == units
