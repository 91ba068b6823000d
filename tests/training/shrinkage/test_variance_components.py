from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.runtime.arrays import FloatArray, IntArray
from training.shrinkage.group_rates import GroupPaths, ShrunkenRates
from training.shrinkage.variance_components import Nesting, Variances, collapse, fit_variances

VARIANCES = Variances(0.2, 0.01, (0.03, 0.02))


def _drawn(rows: int, seed: int) -> tuple[IntArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.integers(-1, 4, rows), rng.integers(-1, 3, rows)])
    return codes, rng.random(rows), rng.integers(1, 30, rows).astype(float)


def _dense(codes: IntArray, trials: FloatArray) -> FloatArray:
    """Write the covariance of all rows' shares out, pair by pair."""
    covariance = np.diag(VARIANCES.row_variance(trials))
    for one, (wide, narrow) in enumerate(codes):
        for other, (other_wide, other_narrow) in enumerate(codes):
            in_wide = one == other or (wide >= 0 and wide == other_wide)
            in_narrow = one == other or (in_wide and narrow >= 0 and narrow == other_narrow)
            covariance[one, other] += VARIANCES.groups[0] * in_wide
            covariance[one, other] += VARIANCES.groups[1] * in_narrow
    return covariance


@pytest.mark.parametrize("rows", [2, 7, 40])
@pytest.mark.parametrize("seed", range(3))
def test_collapse_equals_generalised_least_squares(rows: int, seed: int) -> None:
    codes, share, trials = _drawn(rows, seed)
    inverse = np.linalg.inv(_dense(codes, trials))
    mean = (inverse @ share).sum() / inverse.sum()
    rest = share - mean
    _, log_determinant = np.linalg.slogdet(inverse)
    likelihood = 0.5 * (log_determinant - np.log(inverse.sum()) - rest @ inverse @ rest)
    found = collapse(GroupPaths.from_rows(codes).nesting(codes), share, trials, VARIANCES)
    assert found.mean == pytest.approx(mean)
    assert found.log_likelihood == pytest.approx(likelihood)


@pytest.mark.parametrize("seed", range(3))
def test_rates_are_the_best_linear_predictions(seed: int) -> None:
    codes, share, trials = _drawn(30, seed)
    inverse = np.linalg.inv(_dense(codes, trials))
    mean = (inverse @ share).sum() / inverse.sum()
    rates = ShrunkenRates.fit(codes, share, trials, variances=VARIANCES)
    asked = np.array([[wide, narrow] for wide in range(-1, 6) for narrow in range(-1, 5)])
    for (wide, narrow), estimate in zip(asked, rates.look_up(asked).estimate, strict=True):
        in_wide = (codes[:, 0] == wide) & (wide >= 0)
        in_narrow = in_wide & (codes[:, 1] == narrow) & (narrow >= 0)
        shared = VARIANCES.groups[0] * in_wide + VARIANCES.groups[1] * in_narrow
        assert estimate == pytest.approx(mean + shared @ inverse @ (share - mean))


def test_variances_are_recovered_from_many_rows() -> None:
    rng = np.random.default_rng(0)
    wide = np.repeat(np.arange(150), 60)
    narrow = np.repeat(np.arange(1500), 6)
    trials = rng.integers(1, 200, wide.size).astype(float)
    share = 0.5 + rng.normal(0, 0.10, 150)[wide] + rng.normal(0, 0.06, 1500)[narrow]
    share += rng.normal(0, np.sqrt(0.2 / trials + 0.05**2))
    found = fit_variances(Nesting.from_rows([wide, narrow]), share, trials)
    seen = np.sqrt([found.trial, found.row, *found.groups])
    assert seen == pytest.approx([np.sqrt(0.2), 0.05, 0.10, 0.06], rel=0.15)


def test_big_category_does_not_speak_for_its_department() -> None:
    codes = np.array([[0, 0]] * 500 + [[0, 1]] * 5 + [[0, 2]] * 5 + [[1, 3]] * 5)
    share = np.array([0.9] * 500 + [0.1] * 15)
    rates = ShrunkenRates.fit(codes, share, np.ones(515), variances=Variances(0, 0.01, (1, 0.1)))
    unseen_category = rates.look_up(np.array([[0, 9]])).estimate[0]
    assert unseen_category == pytest.approx((0.9 + 0.1 + 0.1) / 3, abs=0.02)


@given(st.integers(1, 60), st.integers(0, 1000))
def test_rates_stay_between_the_shares_and_unseen_is_missing(rows: int, seed: int) -> None:
    codes, share, trials = _drawn(rows, seed)
    rates = ShrunkenRates.fit(codes, share, trials, variances=VARIANCES)
    found = rates.look_up(codes)
    assert (found.rate >= share.min() - 1e-12).all()
    assert (found.rate <= share.max() + 1e-12).all()
    assert ((found.own_weight >= 0) & (found.own_weight < 1)).all()
    unseen, missing = codes.copy(), codes.copy()
    unseen[:, 1], missing[:, 1] = 99, -1
    assert rates.look_up(unseen).estimate.tolist() == rates.look_up(missing).estimate.tolist()
    assert rates.look_up(unseen).is_cold.all()
