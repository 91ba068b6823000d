from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from training.encoding.crossed_effects import CrossedEffects


def test_effects_of_two_columns_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 8, 20_000)
    second = (first + rng.integers(0, 3, 20_000)) % 8
    truth = np.linspace(-1, 1, 8), np.array([0.8, -0.8] * 4)
    share = rng.binomial(1, expit(truth[0][first] + truth[1][second])).astype(float)
    codes = np.column_stack([first, second])
    fitted = CrossedEffects.fit(codes, share, np.ones(20_000))
    for column, effects in enumerate(truth):
        found = fitted.effects[column][1:]
        assert found - found.mean() == pytest.approx(effects - effects.mean(), abs=0.15)


def test_one_column_is_as_the_penalised_likelihood_has_it() -> None:
    rng = np.random.default_rng(1)
    code = np.minimum(rng.geometric(0.3, 600) - 1, 9)
    share = rng.binomial(1, expit(rng.normal(0, 1, 10)[code])).astype(float)
    fitted = CrossedEffects.fit(code[:, np.newaxis], share, np.ones(600))
    effects = fitted.effects[0][1:]
    information = np.array(
        [(expit(fitted.intercept + one) * expit(-fitted.intercept - one)) for one in effects]
    ) * np.bincount(code)
    variance = _settle_variance(effects, information)

    def loss(effect: np.ndarray) -> float:
        odds = fitted.intercept + effect[code]
        return float(
            (np.logaddexp(0, odds) - share * odds).sum() + (effect**2).sum() / 2 / variance
        )

    slow = minimize(loss, np.zeros(effects.size), tol=1e-8).x
    assert effects == pytest.approx(slow, abs=0.05)


def _settle_variance(effects: np.ndarray, information: np.ndarray) -> float:
    """Return the variance that the EM step leaves as it is, by repeating the step."""
    variance = 0.1
    for _ in range(200):
        variance = float((effects**2 + 1 / (information + 1 / variance)).mean())
    return variance


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3), st.sampled_from([1e-6, 1.0, 1e6]))
def test_any_rows_give_finite_effects(seed: int, columns: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, 6, (30, columns))
    share, weight = rng.choice([0.0, 0.3, 1.0], 30), rng.lognormal(0, 3, 30) * scale
    fitted = CrossedEffects.fit(codes, share, weight)
    odds = fitted.log_odds(fitted.look_up(codes))
    assert np.isfinite(odds).all()


def test_unseen_and_missing_levels_have_no_effect() -> None:
    fitted = CrossedEffects.fit(np.array([[0], [0], [1]]), np.array([1.0, 1.0, 0.0]), np.ones(3))
    assert fitted.look_up(np.array([[-1], [7]])).tolist() == [[0.0], [0.0]]
    assert fitted.look_up(np.array([[0], [1]])).ravel().tolist() == fitted.effects[0][1:].tolist()
