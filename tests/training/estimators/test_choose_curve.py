"""Which kind of calibration curve is taken: the one that foretells other groups better."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy.special import expit, logit

from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.calibration import CalibrationCurve
from training.calibration.curves import CurveFitter, fit_identity, fit_isotonic, fit_logistic
from training.estimators.choose_curve import choose_curve, is_significant

PRODUCTS = 300
CURVES = (fit_logistic, fit_isotonic)
CURVES_WITH_IDENTITY = (fit_identity, *CURVES)

CurveRows = tuple[FloatArray, FloatArray, FloatArray]
"""Raw predictions, labels and weights."""


def _products(rows_each: int) -> IntArray:
    return np.repeat(np.arange(PRODUCTS), rows_each)


def _drawn(
    true: FloatArray, rng: np.random.Generator, *, units: int = 20
) -> tuple[FloatArray, FloatArray]:
    weight = rng.integers(1, units, true.size).astype(float)
    return rng.binomial(weight.astype(int), true) / weight, weight


def _chosen(
    drawn: CurveRows,
    curves: Sequence[CurveFitter],
    *,
    products: IntArray | None = None,
) -> CalibrationCurve:
    """Choose for ten rows a product, or as told whose they are."""
    groups = _products(10) if products is None else products
    return choose_curve(*drawn, curves=curves, groups=groups)


def _rows(true: Callable[[FloatArray], FloatArray], *, seed: int) -> CurveRows:
    rng = np.random.default_rng(seed)
    raw = rng.uniform(0.02, 0.3, 10 * PRODUCTS)
    return (raw, *_drawn(true(raw), rng))


def test_right_predictions_of_what_knows_the_rows_stay_as_they_are() -> None:
    rows = _rows(lambda raw: raw, seed=0)
    found = _chosen(rows, CURVES_WITH_IDENTITY)
    np.testing.assert_allclose(found.apply(rows[0]), rows[0], rtol=1e-12)
    assert found.apply(np.array([0.0, 1.0])) == pytest.approx([1e-4, 1 - 1e-4])


def test_right_predictions_of_others_get_the_curve_without_steps() -> None:
    rows = _rows(lambda raw: raw, seed=0)
    assert _chosen(rows, CURVES).y.tolist() == fit_logistic(*rows).y.tolist()


@pytest.mark.parametrize("curves", [CURVES, CURVES_WITH_IDENTITY])
@pytest.mark.parametrize(("moved", "stretched"), [(-0.3, 1.0), (0.0, 0.8), (-0.5, 0.7)])
def test_predictions_that_are_off_alike_get_the_curve_without_steps(
    moved: float, stretched: float, curves: Sequence[CurveFitter]
) -> None:
    rows = _rows(lambda raw: expit(moved + stretched * logit(raw)), seed=0)
    assert _chosen(rows, curves).y.tolist() == fit_logistic(*rows).y.tolist()


@pytest.mark.parametrize("curves", [CURVES, CURVES_WITH_IDENTITY])
def test_predictions_with_a_step_get_the_curve_that_can_follow_it(
    curves: Sequence[CurveFitter],
) -> None:
    rows = _rows(lambda raw: np.where(raw < 0.15, 0.05, 0.5), seed=1)
    assert _chosen(rows, curves).y.tolist() == fit_isotonic(*rows).y.tolist()


def test_level_that_one_product_decides_is_no_reason_for_a_curve() -> None:
    raw, label, weight = _rows(lambda raw: raw, seed=2)
    is_mistaken = _products(10) == 7
    label[is_mistaken], weight[is_mistaken] = 1.0, 400.0
    found = _chosen((raw, label, weight), CURVES_WITH_IDENTITY)
    np.testing.assert_allclose(found.apply(raw), raw, rtol=1e-12)
    assert np.average(label, weights=weight) > 1.4 * np.average(raw, weights=weight)


def test_step_that_one_product_decides_is_no_reason_for_the_curve_with_steps() -> None:
    rows = _rows(lambda raw: np.where(raw < 0.28, raw, 0.02), seed=1)
    sold_by_one = np.where(rows[0] < 0.28, _products(10), PRODUCTS)
    of_one = _chosen(rows, CURVES, products=sold_by_one)
    assert of_one.y.tolist() == fit_logistic(*rows).y.tolist()
    assert _chosen(rows, CURVES).y.tolist() == fit_isotonic(*rows).y.tolist()


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
    assert is_significant(np.array(gains), np.array(weight)) is expected


def test_listings_of_a_product_do_not_speak_for_each_other() -> None:
    """Predictions say nothing, products differ: steps fit each product's and no other's."""
    listings = 60
    products, listing = _products(listings), np.arange(PRODUCTS * listings)
    parted = {
        "by product": products,
        "by listing": listing,
    }
    steps = {"by product": 0, "by listing": 0}
    for seed in range(10):
        rng = np.random.default_rng(seed)
        raw = np.repeat(rng.uniform(0.02, 0.3, PRODUCTS), listings)
        label, weight = _drawn(rng.beta(0.5, 4, PRODUCTS).repeat(listings), rng, units=200)
        with_steps = fit_isotonic(raw, label, weight).y.tolist()
        for name, whose in parted.items():
            chosen = choose_curve(raw, label, weight, curves=CURVES, groups=whose)
            steps[name] += chosen.y.tolist() == with_steps
    assert steps["by listing"] == 10
    assert steps["by product"] == 0


@pytest.mark.parametrize("groups", [np.zeros(30, np.int64), np.full(30, 3), np.arange(30) * 5])
def test_one_fold_gets_the_simplest_curve(groups: IntArray) -> None:
    rng = np.random.default_rng(3)
    raw = rng.uniform(0.1, 0.9, 30)
    label, weight = _drawn(1 - raw, rng)
    found = choose_curve(raw, label, weight, curves=CURVES, groups=groups)
    assert found.y.tolist() == fit_logistic(raw, label, weight).y.tolist()
    found = choose_curve(raw, label, weight, curves=CURVES_WITH_IDENTITY, groups=groups)
    np.testing.assert_allclose(found.apply(raw), raw, rtol=1e-12)
