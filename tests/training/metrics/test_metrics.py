from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import brier_score_loss, log_loss, mean_absolute_error

from features.runtime.arrays import FloatArray
from training.metrics.metrics import (
    CALIBRATION_BINS,
    Forecast,
    calibration_error,
    measure,
    row_entropy,
    row_log_loss,
    weighted_mean,
)

Drawn = tuple[FloatArray, FloatArray, FloatArray]
shares = st.sampled_from([0.0, 0.05, 0.1, 0.25, 0.3, 0.5, 0.75, 0.9, 1.0])
rows = st.integers(1, 50).flatmap(
    lambda size: st.tuples(
        arrays(np.float64, size, elements=shares),
        arrays(np.float64, size, elements=shares),
        arrays(np.float64, size, elements=st.integers(1, 30).map(float)),
    )
)


def _forecast(estimate: FloatArray) -> Forecast:
    return Forecast(estimate, estimate * 0.5, estimate * 0.5 + 0.5, np.sqrt(estimate))


def _oracle_calibration_error(label: FloatArray, estimate: FloatArray, weight: FloatArray) -> float:
    total = sum(weight)
    errors = [0.0] * CALIBRATION_BINS
    for value in sorted(set(estimate)):
        behind = sum(w for e, w in zip(estimate, weight, strict=True) if e < value)
        place = min(int(CALIBRATION_BINS * behind / total), CALIBRATION_BINS - 1)
        for y, e, w in zip(label, estimate, weight, strict=True):
            errors[place] += w * (y - e) if e == value else 0.0
    return sum(map(abs, errors)) / total


@given(drawn=rows)
def test_calibration_error_is_that_of_a_loop_over_bins(drawn: Drawn) -> None:
    assert calibration_error(*drawn) == pytest.approx(_oracle_calibration_error(*drawn), abs=1e-12)


def test_calibration_error_tells_a_calibrated_forecast_from_a_biased_one() -> None:
    rng = np.random.default_rng(0)
    estimate = rng.uniform(0.1, 0.9, 50_000)
    label = rng.binomial(1, estimate).astype(float)
    weight = np.ones_like(label)
    assert calibration_error(label, estimate, weight) < 0.015
    assert calibration_error(label, estimate * 0.8, weight) == pytest.approx(0.1, abs=0.01)


@given(drawn=rows)
def test_metrics_of_shares_are_the_sums_of_a_loop(drawn: Drawn) -> None:
    label, estimate, weight = drawn
    metrics = measure(label, weight, _forecast(estimate), threshold=0.5)
    total = sum(weight)
    cut = [min(max(e, 1e-6), 1 - 1e-6) for e in estimate]
    losses = [
        -(y * math.log(e) + (1 - y) * math.log(1 - e)) for y, e in zip(label, cut, strict=True)
    ]
    own = [-sum(p * math.log(p) for p in (y, 1 - y) if p > 0) for y in label]
    inside = [e * 0.5 <= y <= e * 0.5 + 0.5 for y, e in zip(label, estimate, strict=True)]
    squares = [(math.sqrt(e) - (y >= 0.5)) ** 2 for y, e in zip(label, estimate, strict=True)]
    expected = {
        "rows": len(label),
        "weight": total,
        "mean_label": sum(weight * label) / total,
        "mean_estimate": sum(weight * estimate) / total,
        "log_loss": sum(weight * losses) / total,
        "deviance": sum(weight * (np.array(losses) - own)) / total,
        "mean_absolute_error": sum(weight * abs(label - estimate)) / total,
        "calibration_error": _oracle_calibration_error(*drawn),
        "brier": sum(squares) / len(label),
        "coverage": sum(inside) / len(label),
        "width": 0.5,
    }
    assert vars(metrics) == pytest.approx(expected, abs=1e-9)


def test_metrics_of_events_are_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    estimate = rng.uniform(0.01, 0.99, 500)
    label = rng.binomial(1, estimate).astype(float)
    weight = rng.integers(1, 9, 500).astype(float)
    forecast = Forecast(estimate, estimate, estimate, estimate)
    metrics = measure(label, weight, forecast, threshold=1.0)
    assert metrics.log_loss == pytest.approx(log_loss(label, estimate, sample_weight=weight))
    assert metrics.mean_absolute_error == pytest.approx(
        mean_absolute_error(label, estimate, sample_weight=weight)
    )
    assert metrics.brier == pytest.approx(brier_score_loss(label, estimate))
    assert metrics.deviance == pytest.approx(metrics.log_loss)


@given(drawn=rows)
def test_deviance_is_least_and_zero_for_the_labels_themselves(drawn: Drawn) -> None:
    label, estimate, weight = drawn
    assert weighted_mean(row_log_loss(label, label) - row_entropy(label), weight) < 2e-6
    assert (row_log_loss(label, estimate) >= row_entropy(label) - 1e-12).all()


def test_log_loss_of_a_refuted_certainty_is_finite() -> None:
    assert np.isfinite(row_log_loss(np.array([1.0, 0.0]), np.array([0.0, 1.0]))).all()
