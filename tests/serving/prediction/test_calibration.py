from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from serving.errors import BrokenFileError
from serving.prediction.calibration import CalibrationCurve


def test_knots_of_isotonic_regression_give_its_bits() -> None:
    rng = np.random.default_rng(0)
    raw = rng.beta(2, 5, 2_000)
    outcome = rng.binomial(1, raw**1.5).astype(np.float64)
    isotonic = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(raw, outcome)
    curve = CalibrationCurve(isotonic.X_thresholds_, isotonic.y_thresholds_)
    fresh = rng.uniform(-0.1, 1.1, 5_000)
    np.testing.assert_array_equal(curve.apply(fresh), isotonic.predict(fresh))


def test_knots_beyond_the_ends_are_constant() -> None:
    curve = CalibrationCurve(np.array([0.2, 0.6]), np.array([0.1, 0.5]))
    actual = curve.apply(np.array([-9.0, 0.2, 0.4, 0.6, 9.0]))
    np.testing.assert_allclose(actual, [0.1, 0.1, 0.3, 0.5, 0.5], rtol=0, atol=1e-15)


def test_knots_single_is_a_constant_curve() -> None:
    curve = CalibrationCurve(np.array([0.5]), np.array([0.25]))
    np.testing.assert_array_equal(curve.apply(np.array([0.0, 1.0])), [0.25, 0.25])


@pytest.mark.parametrize(
    ("x", "y", "fault"),
    [
        ([], [], "no knots"),
        ([0.1, 0.2], [0.1], "no knots"),
        ([0.1, np.nan], [0.1, 0.2], "isn't finite"),
        ([0.1, 0.2], [0.1, np.inf], "isn't finite"),
        ([0.2, 0.2], [0.1, 0.2], "x doesn't increase"),
        ([0.2, 0.1], [0.1, 0.2], "x doesn't increase"),
        ([0.1, 0.2], [0.2, 0.1], "y decreases"),
        ([0.1, 0.2], [-0.1, 0.1], "y lies outside [0, 1]"),
        ([0.1, 0.2], [0.1, 1.1], "y lies outside [0, 1]"),
    ],
)
def test_knots_that_are_no_curve_are_refused(x: list[float], y: list[float], fault: str) -> None:
    with pytest.raises(BrokenFileError) as caught:
        CalibrationCurve(np.array(x), np.array(y))
    assert fault in caught.value.problem
