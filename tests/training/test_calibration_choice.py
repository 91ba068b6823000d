"""Which kind of calibration curve is taken: the one that foretells other listings better."""

from __future__ import annotations

import numpy as np
import pytest

from features.declarations import FloatArray
from serving.cells import IntArray
from training.calibration import fit_knots
from training.calibration_choice import choose_knots
from training.logistic_calibration import fit_logistic

LISTINGS = 300


def _drawn(
    true: FloatArray, rng: np.random.Generator, *, units: int = 20
) -> tuple[FloatArray, FloatArray]:
    weight = rng.integers(1, units, true.size).astype(float)
    return rng.binomial(weight.astype(int), true) / weight, weight


def _raw(rng: np.random.Generator) -> tuple[FloatArray, IntArray]:
    listings = np.repeat(np.arange(LISTINGS), 10)
    return rng.uniform(0.02, 0.3, listings.size), listings


def test_predictions_that_are_right_get_the_curve_without_steps() -> None:
    rng = np.random.default_rng(0)
    raw, listings = _raw(rng)
    label, weight = _drawn(raw, rng)
    found = choose_knots(raw, label, weight, listings=listings)
    assert found.y.tolist() == fit_logistic(raw, label, weight).y.tolist()


def test_predictions_with_a_step_get_the_curve_that_can_follow_it() -> None:
    rng = np.random.default_rng(1)
    raw, listings = _raw(rng)
    label, weight = _drawn(np.where(raw < 0.15, 0.05, 0.5), rng)
    found = choose_knots(raw, label, weight, listings=listings)
    assert found.y.tolist() == fit_knots(raw, label, weight).y.tolist()


def test_rows_of_a_listing_do_not_speak_for_each_other() -> None:
    """What one listing's rows say of its own rows would choose steps that no other has."""
    rng = np.random.default_rng(2)
    raw = np.repeat(rng.uniform(0.02, 0.3, LISTINGS), 10)
    own = rng.beta(0.5, 4, LISTINGS).repeat(10)
    label, weight = _drawn(own, rng, units=200)
    chosen = choose_knots(raw, label, weight, listings=np.repeat(np.arange(LISTINGS), 10))
    assert chosen.y.tolist() == fit_logistic(raw, label, weight).y.tolist()
    as_if_apart = choose_knots(raw, label, weight, listings=np.arange(raw.size))
    assert as_if_apart.y.tolist() == fit_knots(raw, label, weight).y.tolist()


@pytest.mark.parametrize("listings", [np.zeros(30, np.int64), np.full(30, 5)])
def test_one_listing_gets_the_simpler_curve(listings: IntArray) -> None:
    rng = np.random.default_rng(3)
    raw = rng.uniform(0.1, 0.9, 30)
    label, weight = _drawn(raw, rng)
    found = choose_knots(raw, label, weight, listings=listings)
    assert found.y.tolist() == fit_logistic(raw, label, weight).y.tolist()
