from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression

from features.runtime.arrays import FloatArray
from training.calibration.curves import GROUPS, fit_isotonic

shares = st.floats(0, 1, allow_nan=False, width=32)
rows = st.integers(1, 40).flatmap(
    lambda size: st.tuples(
        arrays(np.float64, size, elements=shares),
        arrays(np.float64, size, elements=st.sampled_from([0.0, 0.2, 0.5, 1.0])),
        arrays(np.float64, size, elements=st.integers(1, 50).map(float)),
    )
)


def _grouped_by_loops(
    raw: FloatArray, label: FloatArray, weight: FloatArray
) -> tuple[list[float], list[float], list[float]]:
    """Return mean prediction, mean label and weight of each group, in the order of predictions."""
    groups: dict[int, list[int]] = {}
    before = 0.0
    for value in sorted(set(raw.tolist())):
        rows = [row for row, one in enumerate(raw.tolist()) if one == value]
        mass = sum(weight[row] for row in rows)
        place = min(int((before + mass / 2) / weight.sum() * GROUPS), GROUPS - 1)
        groups.setdefault(place, []).extend(rows)
        before += mass
    means = [
        (np.average(raw[rows], weights=weight[rows]), np.average(label[rows], weights=weight[rows]))
        for rows in groups.values()
    ]
    x, y = (list(one) for one in zip(*means, strict=True))
    return x, y, [float(weight[rows].sum()) for rows in groups.values()]


@given(drawn=rows)
def test_knots_are_scikit_learn_s_on_groups_made_by_loops(
    drawn: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    x, y, weights = _grouped_by_loops(*drawn)
    fitted = IsotonicRegression().fit(x, y, weights).predict(x)
    zeros, ones = (np.array(weights)[end].sum() for end in (fitted <= 0, fitted >= 1))
    theirs = IsotonicRegression(
        y_min=0.5 / (zeros + 1) if zeros else 0.0,
        y_max=1 - 0.5 / (ones + 1) if ones else 1.0,
        out_of_bounds="clip",
    ).fit(x, y, weights)
    asked = np.concatenate([drawn[0], np.linspace(-0.2, 1.2, 57)])
    assert fit_isotonic(*drawn).apply(asked) == pytest.approx(theirs.predict(asked), abs=1e-12)


def test_single_rows_of_much_weight_do_not_decide_the_ends() -> None:
    rng = np.random.default_rng(0)
    raw = np.sort(rng.uniform(0.02, 0.2, 5_000))
    weight = rng.integers(1, 30, raw.size).astype(float)
    label = rng.binomial(weight.astype(int), raw) / weight
    label[0], label[-1], weight[[0, -1]] = 1.0, 0.0, 200.0
    ends = np.array([0.025, 0.195])
    assert fit_isotonic(raw, label, weight).apply(ends) == pytest.approx(ends, abs=0.04)
    exact = IsotonicRegression(out_of_bounds="clip").fit(raw, label, weight).predict(ends)
    assert np.abs(exact - ends).max() > 0.02


@given(drawn=rows)
def test_knots_never_promise_what_a_single_unit_could_refute(
    drawn: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    knots = fit_isotonic(*drawn)
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
    knots = fit_isotonic(raw, np.array(label), np.array(weight))
    assert knots.apply(raw) == pytest.approx(expected)


def test_knots_of_a_constant_prediction_are_the_weighted_mean() -> None:
    knots = fit_isotonic(np.full(3, 0.7), np.array([0.0, 0.0, 1.0]), np.array([1.0, 1.0, 2.0]))
    assert knots.apply(np.array([0.0, 0.7, 1.0])) == pytest.approx([0.5, 0.5, 0.5])
