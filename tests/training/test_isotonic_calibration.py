from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression

from features.declarations import FloatArray
from training.calibration import fit_knots

shares = st.floats(0, 1, allow_nan=False, width=32)
rows = st.integers(1, 40).flatmap(
    lambda size: st.tuples(
        arrays(np.float64, size, elements=shares),
        arrays(np.float64, size, elements=st.sampled_from([0.0, 0.2, 0.5, 1.0])),
        arrays(np.float64, size, elements=st.integers(1, 50).map(float)),
    )
)


@given(drawn=rows)
def test_knots_give_the_same_bits_as_scikit_learn(
    drawn: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    raw, label, weight = drawn
    knots = fit_knots(raw, label, weight)
    fitted = IsotonicRegression().fit(raw, label, weight).predict(raw)
    zeros, ones = weight[fitted <= 0].sum(), weight[fitted >= 1].sum()
    theirs = IsotonicRegression(
        y_min=0.5 / (zeros + 1) if zeros else 0.0,
        y_max=1 - 0.5 / (ones + 1) if ones else 1.0,
        out_of_bounds="clip",
    ).fit(raw, label, weight)
    asked = np.concatenate([raw, np.linspace(-0.2, 1.2, 57)])
    assert knots.apply(asked).tolist() == theirs.predict(asked).tolist()


@given(drawn=rows)
def test_knots_never_promise_what_a_single_unit_could_refute(
    drawn: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    knots = fit_knots(*drawn)
    assert knots.y.min() > 0
    assert knots.y.max() < 1


@pytest.mark.parametrize(
    ("label", "weight", "expected"),
    [
        ([0.0, 0.0, 1.0, 1.0], [2.0, 2.0, 8.0, 1.0], [0.1, 0.1, 0.95, 0.95]),
        ([0.0, 0.5, 0.5, 1.0], [9.0, 1.0, 1.0, 4.0], [0.05, 0.5, 0.5, 0.9]),
        ([0.2, 0.4, 0.3, 0.8], [1.0, 1.0, 3.0, 1.0], [0.2, 0.325, 0.325, 0.8]),
        ([0.5, 0.5, 0.5, 0.5], [1.0, 1.0, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5]),
    ],
)
def test_knots_are_weighted_means_of_blocks_held_off_the_ends(
    label: list[float], weight: list[float], expected: list[float]
) -> None:
    raw = np.array([0.1, 0.2, 0.3, 0.4])
    knots = fit_knots(raw, np.array(label), np.array(weight))
    assert knots.apply(raw) == pytest.approx(expected)


def test_knots_of_a_constant_prediction_are_the_weighted_mean() -> None:
    knots = fit_knots(np.full(3, 0.7), np.array([0.0, 0.0, 1.0]), np.array([1.0, 1.0, 2.0]))
    assert knots.apply(np.array([0.0, 0.7, 1.0])) == pytest.approx([0.5, 0.5, 0.5])
