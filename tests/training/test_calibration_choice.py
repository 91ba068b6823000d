"""Which kind of calibration curve is taken: the one that foretells other products better."""

from __future__ import annotations

import numpy as np
import pytest

from features.declarations import FloatArray
from training.calibration import fit_knots
from training.calibration_choice import FOLDS, choose_knots, folds_of, is_sure
from training.logistic_calibration import fit_logistic
from training.training_set import Coded, IntArray

PRODUCTS = 300


def _products(rows_each: int) -> Coded:
    names = tuple(f"P{number}" for number in range(PRODUCTS))
    return Coded(np.repeat(np.arange(PRODUCTS), rows_each), names)


def _drawn(
    true: FloatArray, rng: np.random.Generator, *, units: int = 20
) -> tuple[FloatArray, FloatArray]:
    weight = rng.integers(1, units, true.size).astype(float)
    return rng.binomial(weight.astype(int), true) / weight, weight


def test_predictions_that_are_right_get_the_curve_without_steps() -> None:
    rng = np.random.default_rng(0)
    raw, folds = rng.uniform(0.02, 0.3, 10 * PRODUCTS), folds_of(_products(10))
    label, weight = _drawn(raw, rng)
    found = choose_knots(raw, label, weight, folds=folds, products=_products(10).codes)
    assert found.y.tolist() == fit_logistic(raw, label, weight).y.tolist()


def test_predictions_with_a_step_get_the_curve_that_can_follow_it() -> None:
    rng = np.random.default_rng(1)
    raw, folds = rng.uniform(0.02, 0.3, 10 * PRODUCTS), folds_of(_products(10))
    label, weight = _drawn(np.where(raw < 0.15, 0.05, 0.5), rng)
    found = choose_knots(raw, label, weight, folds=folds, products=_products(10).codes)
    assert found.y.tolist() == fit_knots(raw, label, weight).y.tolist()


def test_step_that_one_product_decides_is_no_reason_for_the_curve_with_steps() -> None:
    rng = np.random.default_rng(1)
    raw, folds = rng.uniform(0.02, 0.3, 10 * PRODUCTS), folds_of(_products(10))
    label, weight = _drawn(np.where(raw < 0.28, raw, 0.02), rng)
    sold_by_one = np.where(raw < 0.28, _products(10).codes, PRODUCTS)
    of_one = choose_knots(raw, label, weight, folds=folds, products=sold_by_one)
    of_many = choose_knots(raw, label, weight, folds=folds, products=_products(10).codes)
    assert of_one.y.tolist() == fit_logistic(raw, label, weight).y.tolist()
    assert of_many.y.tolist() == fit_knots(raw, label, weight).y.tolist()


@pytest.mark.parametrize(
    ("gains", "weight", "expected"),
    [
        pytest.param([1.0] * 20, [1.0] * 20, True, id="of all alike"),
        pytest.param([-1.0] * 20, [1.0] * 20, False, id="a loss"),
        pytest.param([1.0, -0.9] * 20, [1.0] * 40, False, id="within the error"),
        pytest.param([0.0] * 19 + [5.0], [1.0] * 20, False, id="of one product"),
        pytest.param([-0.01] * 19 + [50.0], [1.0] * 19 + [80.0], False, id="of the heaviest"),
        pytest.param(
            [1.0, -0.999] * 1000 + [5000.0],
            [1.0] * 2000 + [8000.0],
            False,
            id="of the heaviest, the rest luck",
        ),
        pytest.param([0.2] * 19 + [50.0], [1.0] * 19 + [80.0], True, id="of all, one heavy"),
        pytest.param([5.0], [1.0], False, id="one product in all"),
    ],
)
def test_gain_is_sure_if_it_is_large_and_no_single_product_s(
    gains: list[float], weight: list[float], *, expected: bool
) -> None:
    assert is_sure(np.array(gains), np.array(weight)) is expected


def test_listings_of_a_product_do_not_speak_for_each_other() -> None:
    """Predictions say nothing, products differ: steps fit each product's and no other's."""
    listings = 60
    products, listing = _products(listings), np.arange(PRODUCTS * listings)
    parted = {
        "by product": {"folds": folds_of(products), "products": products.codes},
        "by listing": {"folds": listing % 5, "products": listing},
    }
    steps = {"by product": 0, "by listing": 0}
    for seed in range(10):
        rng = np.random.default_rng(seed)
        raw = np.repeat(rng.uniform(0.02, 0.3, PRODUCTS), listings)
        label, weight = _drawn(rng.beta(0.5, 4, PRODUCTS).repeat(listings), rng, units=200)
        with_steps = fit_knots(raw, label, weight).y.tolist()
        for name, whose in parted.items():
            chosen = choose_knots(raw, label, weight, **whose)
            steps[name] += chosen.y.tolist() == with_steps
    assert steps["by listing"] == 10
    assert steps["by product"] == 0


def test_fold_is_a_product_s_and_rests_on_its_name_alone() -> None:
    folds = folds_of(_products(3))
    assert set(folds.tolist()) == set(range(FOLDS))
    assert np.bincount(folds).min() > 3 * PRODUCTS / FOLDS / 2
    names = _products(3).names[::-1]
    backwards = folds_of(Coded(np.arange(PRODUCTS), names))
    assert backwards[::-1].tolist() == folds[::3].tolist()


@pytest.mark.parametrize("folds", [np.zeros(30, np.int64), np.full(30, 3)])
def test_one_fold_gets_the_simpler_curve(folds: IntArray) -> None:
    rng = np.random.default_rng(3)
    raw = rng.uniform(0.1, 0.9, 30)
    label, weight = _drawn(raw, rng)
    found = choose_knots(raw, label, weight, folds=folds, products=np.arange(30))
    assert found.y.tolist() == fit_logistic(raw, label, weight).y.tolist()
