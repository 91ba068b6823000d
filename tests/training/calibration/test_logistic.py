"""The logistic curve against scikit-learn's own fit, and what it never does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from features.runtime.arrays import FloatArray
from training.calibration.curves import fit_logistic

rows = st.integers(1, 40).flatmap(
    lambda size: st.tuples(
        arrays(np.float64, size, elements=st.floats(0, 1, allow_nan=False)),
        arrays(np.float64, size, elements=st.sampled_from([0.0, 0.2, 0.5, 1.0])),
        arrays(np.float64, size, elements=st.integers(1, 50).map(float)),
    )
)


def _drawn(
    moved: float, stretched: float, *, most: float = 0.6
) -> tuple[FloatArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(0)
    raw = rng.uniform(most / 60, most, 4_000)
    weight = rng.integers(1, 60, raw.size).astype(float)
    true = expit(moved + stretched * logit(raw))
    return raw, rng.binomial(weight.astype(int), true) / weight, weight


@pytest.mark.parametrize(
    ("moved", "stretched", "most"),
    [(0.0, 1.0, 0.6), (-0.4, 0.7, 0.6), (0.3, 1.6, 0.6), (-0.7, 0.4, 0.01), (-2.0, 0.9, 0.02)],
)
def test_curve_is_scikit_learn_s_logistic_regression_on_log_odds(
    moved: float, stretched: float, most: float
) -> None:
    raw, label, weight = _drawn(moved, stretched, most=most)
    odds = np.concatenate([logit(raw)] * 2)[:, np.newaxis]
    happened = np.repeat([1, 0], raw.size)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(
        odds, happened, np.concatenate([label * weight, (1 - label) * weight])
    )
    asked = np.linspace(most / 60, most, 50)
    expected = theirs.predict_proba(logit(asked)[:, np.newaxis])[:, 1]
    between_knots = 4e-4
    found = fit_logistic(raw, label, weight).apply(asked)
    assert found == pytest.approx(expected, rel=between_knots)


def test_right_predictions_stay_as_they_are() -> None:
    raw, label, weight = _drawn(0.0, 1.0)
    asked = np.linspace(0.02, 0.5, 50)
    assert fit_logistic(raw, label, weight).apply(asked) == pytest.approx(asked, rel=0.03)


def test_predictions_that_say_the_opposite_give_a_flat_curve() -> None:
    raw, label, weight = _drawn(0.0, 1.0)
    said = fit_logistic(1 - raw, label, weight).apply(np.linspace(0, 1, 11))
    assert said == pytest.approx(np.average(label, weights=weight), rel=1e-3)


@settings(deadline=None)
@given(drawn=rows)
def test_curve_never_decreases_and_never_reaches_the_ends(
    drawn: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    said = fit_logistic(*drawn).apply(np.linspace(-0.1, 1.1, 101))
    assert (np.diff(said) >= 0).all()
    assert ((said > 0) & (said < 1)).all()
