"""Shrinkage along the chain of levels, against the formula written out step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.declarations.shrinkage import (
    CHAIN,
    RATES,
    RETURN_RATE,
    SELL_THROUGH_RATE,
    own_weight,
    pooled_rate,
)

TRIALS = st.integers(0, 1000)


def make_columns(*values: float) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    return [np.array([value], dtype=np.float64) for value in values]


def test_pooled_rate_without_any_trial_is_the_mean() -> None:
    assert pooled_rate(*make_columns(*[0] * 10), 0.07, 5, 5, 5, 5, 5)[0] == 0.07


def test_pooled_rate_is_the_posterior_mean_at_each_level() -> None:
    market = (30 + 10 * 0.1) / (300 + 10)
    category = (5 + 20 * market) / (10 + 20)
    supplier = (3 + 25 * category) / (4 + 25)
    listing = (1 + 40 * supplier) / (2 + 40)
    pooled = pooled_rate(*make_columns(30, 300, 5, 10, 3, 4, 0, 0, 1, 2), 0.1, 10, 20, 25, 30, 40)
    assert pooled[0] == pytest.approx(listing, rel=1e-15)


@given(
    trials=st.lists(TRIALS, min_size=5, max_size=5),
    shares=st.lists(st.floats(0, 1), min_size=5, max_size=5),
    mean=st.floats(0, 1),
    strength=st.floats(1e-3, 1e6),
)
def test_pooled_rate_lies_between_the_rates_it_pools(
    trials: list[int], shares: list[float], mean: float, strength: float
) -> None:
    successes = [np.floor(n * share) for n, share in zip(trials, shares, strict=True)]
    counts = [value for pair in zip(successes, trials, strict=True) for value in pair]
    rates = [s / n for s, n in zip(successes, trials, strict=True) if n]
    pooled = pooled_rate(*make_columns(*counts), mean, *[strength] * 5)[0]
    slack = 1e-12
    assert min([*rates, mean]) - slack <= pooled <= max([*rates, mean]) + slack


def test_own_weight_grows_from_0_to_1() -> None:
    weights = own_weight(np.array([0.0, 10.0, 1e9]), 10.0)
    assert weights == pytest.approx([0.0, 0.5, 1.0], abs=1e-7)


def test_rate_names_its_counts_from_wide_to_narrow() -> None:
    assert RETURN_RATE.inputs[:2] == ("units_returned_market_180d", "units_ripe_market_180d")
    assert RETURN_RATE.inputs[-2:] == ("units_returned_180d", "units_ripe_180d")
    assert len(SELL_THROUGH_RATE.parameters) == 1 + len(CHAIN)
    parameters = {parameter for rate in RATES for parameter in rate.parameters}
    assert len(parameters) == len(RATES) * (1 + len(CHAIN))
