"""Ranges: what lies far outside the learned prices and lots is named, ordinary values aren't."""

from __future__ import annotations

import numpy as np
import pytest

from serving.prediction.learned_ranges import RANGED_INPUTS, LearnedRanges, find_out_of_range
from training.fit.learned_ranges import learn_ranges

NAMES = ("other", *RANGED_INPUTS)
RNG = np.random.default_rng(0)
MARKETS = ("US",) * 900 + ("JP",) * 99 + ("DE",)
PRICE = np.concatenate([RNG.uniform(500, 5000, 900), RNG.uniform(50_000, 500_000, 99), [900.0]])
MATRIX = np.column_stack(
    [RNG.random(1000), RNG.integers(5, 200, 1000), PRICE, RNG.uniform(0.5, 2.0, 1000)]
)
MATRIX[-1, 3] = np.nan


def learn(matrix: np.ndarray = MATRIX) -> LearnedRanges:
    return learn_ranges(matrix, NAMES, MARKETS)


@pytest.mark.parametrize(
    ("market", "lot", "price", "relative", "fields"),
    [
        ("US", 20, 900, 1.0, ()),
        ("US", 20, 90_000, 1.0, ("list_price_minor",)),
        ("US", 20, 5, 1.0, ("list_price_minor",)),
        ("US", 20, 900, 20.0, ("list_price_minor",)),
        ("US", 20, 90_000, 90.0, ("list_price_minor",)),
        ("US", 20, 900, np.nan, ()),
        ("US", 2_000_000, 900, 1.0, ("units_offered",)),
        ("US", 2_000_000, 1, 1.0, ("units_offered", "list_price_minor")),
        ("JP", 20, 90_000, 1.0, ()),
        ("JP", 20, 900, 1.0, ("list_price_minor",)),
        ("DE", 20, 900, 50.0, ()),
        ("FR", 10**9, 10**9, 50.0, ()),
    ],
)
def test_fields_far_outside_their_market_are_named(
    market: str, lot: float, price: float, relative: float, fields: tuple[str, ...]
) -> None:
    row = np.array([[0.0, lot, price, relative]])
    learned = learn()
    lots = {"units_offered": learned["US"]["units_offered"]}
    ranges = {**learned, "DE": {**learned["DE"], **lots}}
    assert find_out_of_range(ranges, row, NAMES, [market]) == [fields]


def test_rows_of_training_are_in_range_and_ten_times_outside_is_not() -> None:
    ranges = learn()
    assert find_out_of_range(ranges, MATRIX, NAMES, MARKETS) == [()] * 1000
    for column, name in enumerate(NAMES[1:], start=1):
        for factor in (10.0, 0.1):
            worst = (
                np.nanmax(MATRIX[:900], axis=0) if factor > 1 else np.nanmin(MATRIX[:900], axis=0)
            )
            row = MATRIX[:1].copy()
            row[0, column] = worst[column] * factor
            assert find_out_of_range(ranges, row, NAMES, ["US"]) == [(RANGED_INPUTS[name],)]


def test_a_few_mistyped_rows_make_nothing_usual() -> None:
    mistyped = MATRIX.copy()
    mistyped[:5, 1:3] = 1e9
    row = np.array([[0.0, 20_000.0, 90_000.0, 1.0]])
    expected = [("units_offered", "list_price_minor")]
    assert find_out_of_range(learn(mistyped), row, NAMES, ["US"]) == expected
