"""The intervals against those of MAPIE and crepes, from the same residuals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from features.runtime.arrays import FloatArray
from training.calibration.difficulty import binomial_difficulty
from training.estimators.share_calibrator import HoldoutRows, RawShares, ShareCalibrator
from training.shrinkage.variance_components import Variances

COVERAGES = [0.5, 0.8, 0.9]
ROWS = 499


def _sample(seed: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    estimate = rng.uniform(0.2, 0.8, ROWS)
    return estimate, rng.beta(8 * estimate, 8 * (1 - estimate))


def _ours(coverage: float) -> tuple[FloatArray, FloatArray]:
    estimate, outcome = _sample(0)
    raw = RawShares(estimate, np.zeros(ROWS, dtype=bool))
    held = HoldoutRows(raw=raw, share=outcome, trials=np.ones(ROWS), clusters=np.arange(ROWS))
    calibrator = ShareCalibrator.fit(held, Variances(1.0, 0.0, ()), np.random.default_rng(0))
    requested, _ = _sample(1)
    return calibrator.interval(RawShares(requested, raw.is_cold), coverage)


@pytest.mark.parametrize("coverage", COVERAGES)
def test_interval_is_that_of_crepes(coverage: float) -> None:
    crepes = pytest.importorskip("crepes", reason="crepes is in the dev extra, not installed here")
    estimate, outcome = _sample(0)
    asked, _ = _sample(1)
    theirs = crepes.ConformalRegressor()
    one, difficulty = np.ones(ROWS), binomial_difficulty()
    theirs.fit(outcome - estimate, sigmas=difficulty.sigma(estimate, one))
    bounds = theirs.predict_int(asked, sigmas=difficulty.sigma(asked, one), confidence=coverage)
    low, high = _ours(coverage)
    assert low == pytest.approx(np.clip(bounds[:, 0], 0, 1), abs=0.01)
    assert high == pytest.approx(np.clip(bounds[:, 1], 0, 1), abs=0.01)


class _Known(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Predict the one column that there is."""

    def fit(self, X: FloatArray, _: FloatArray) -> _Known:  # noqa: N803 - scikit-learn's signature
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: FloatArray) -> FloatArray:  # noqa: N803 - likewise
        return X[:, 0]


@pytest.mark.parametrize("coverage", COVERAGES)
def test_interval_covers_and_is_as_wide_as_that_of_mapie(coverage: float) -> None:
    regression = pytest.importorskip(
        "mapie.regression", reason="MAPIE is in the dev extra, not installed here"
    )
    estimate, outcome = _sample(0)
    asked, later = _sample(1)
    theirs = regression.SplitConformalRegressor(
        _Known().fit(estimate[:, np.newaxis], outcome), confidence_level=coverage, prefit=True
    )
    theirs.conformalize(estimate[:, np.newaxis], outcome)
    _, bounds = theirs.predict_interval(asked[:, np.newaxis])
    their_low, their_high = np.clip(bounds[:, :, 0].T, 0, 1)
    low, high = _ours(coverage)
    their_cover = ((their_low <= later) & (later <= their_high)).mean()
    cover = ((low <= later) & (later <= high)).mean()
    assert cover == pytest.approx(their_cover, abs=0.04)
    assert (high - low).mean() == pytest.approx((their_high - their_low).mean(), rel=0.1)
