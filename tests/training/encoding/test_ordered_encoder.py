from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.runtime.arrays import FloatArray, IntArray
from training.encoding.input_table import InputTable
from training.encoding.ordered_encoder import MAX_PAIRS, PRIOR_ROWS, OrderedEncoder
from training.encoding.target_encoder import LabelledRows


def _draw_rows(seed: int, columns: int = 2) -> tuple[InputTable, LabelledRows, FloatArray]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, 4, (25, columns))
    rows = LabelledRows(codes, rng.random(25), np.ones(25))
    return InputTable(rng.random((25, 1)), codes), rows, rng.uniform(0.1, 2, 25)


def _slow_mean(
    seen: IntArray, level: tuple[int, ...], rows: LabelledRows, weight: FloatArray, mean: float
) -> float:
    """Return the mean of the seen rows of a level, with the prior, row by row."""
    total, count = PRIOR_ROWS * mean, PRIOR_ROWS
    for row in seen:
        if min(level) >= 0 and tuple(rows.codes[row]) == level:
            total += weight[row] * rows.share[row]
            count += weight[row]
    return total / count


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_pair_is_the_mean_of_the_rows_before(seed: int) -> None:
    table, rows, weight = _draw_rows(seed)
    encoder = OrderedEncoder.fit(table, rows, weight)
    found = encoder.encode_fitted(table, rows, weight, 1.0, np.random.default_rng(3)).matrix[:, -1]
    order = np.random.default_rng(3).permutation(25)
    for place, row in enumerate(order):
        level = (int(rows.codes[row, 0]), int(rows.codes[row, 1]))
        expected = _slow_mean(order[:place], level, rows, weight, encoder.mean)
        assert found[row] == pytest.approx(expected)


def test_new_rows_see_all_rows_of_fit() -> None:
    table, rows, weight = _draw_rows(0)
    encoder = OrderedEncoder.fit(table, rows, weight)
    found = encoder.encode(table).matrix[:, -1]
    for row in range(25):
        level = (int(rows.codes[row, 0]), int(rows.codes[row, 1]))
        expected = _slow_mean(np.arange(25), level, rows, weight, encoder.mean)
        assert found[row] == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_own_label_changes_nothing(seed: int) -> None:
    table, rows, weight = _draw_rows(seed)
    encoder = OrderedEncoder.fit(table, rows, weight)
    row = seed % 25
    share = rows.share.copy()
    share[row] = 1 - share[row]
    changed = LabelledRows(rows.codes, share, rows.trials)
    before, after = (
        encoder.encode_fitted(table, one, weight, 1.0, np.random.default_rng(0)).matrix[row]
        for one in (rows, changed)
    )
    assert before == pytest.approx(after, abs=1e-9)


def test_level_that_is_unseen_or_missing_is_the_mean() -> None:
    table, rows, weight = _draw_rows(0)
    encoder = OrderedEncoder.fit(table, rows, weight)
    new = InputTable(np.zeros((2, 1)), np.array([[-1, -1], [9, 9]]))
    assert encoder.encode(new).matrix[:, 1:] == pytest.approx(encoder.mean)


def test_pairs_are_bounded() -> None:
    table, rows, weight = _draw_rows(0, columns=12)
    assert len(OrderedEncoder.fit(table, rows, weight).columns) == 12 + MAX_PAIRS
