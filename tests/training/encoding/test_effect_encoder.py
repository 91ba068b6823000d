from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.runtime.arrays import FloatArray
from training.encoding.effect_encoder import EffectEncoder
from training.encoding.hidden_levels import hide_levels
from training.encoding.input_table import InputTable
from training.encoding.target_encoder import LabelledRows


def _draw_rows(seed: int, rows: int = 120) -> tuple[InputTable, LabelledRows, FloatArray]:
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.integers(0, 3, rows), rng.integers(-1, 12, rows)])
    numbers = np.where(rng.random((rows, 2)) < 0.1, np.nan, rng.random((rows, 2)))
    labelled = LabelledRows(codes, rng.integers(0, 2, rows).astype(float), np.ones(rows))
    return InputTable(numbers, codes), labelled, np.ones(rows)


def _fit(seed: int, monotone: tuple[int, int] = (0, 0)) -> EffectEncoder:
    table, rows, weight = _draw_rows(seed)
    return EffectEncoder.fit(table, rows, weight, path=(0, 1), monotone=monotone)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_own_label_changes_nothing(seed: int) -> None:
    table, rows, weight = _draw_rows(seed)
    row = seed % len(rows.share)
    share = rows.share.copy()
    share[row] = 1 - share[row]
    before, after = (
        _fit(seed)
        .encode_fitted(
            table, LabelledRows(rows.codes, one, rows.trials), weight, 0.5, np.random.default_rng(0)
        )
        .matrix[row]
        for one in (rows.share, share)
    )
    np.testing.assert_array_equal(before, after)


def test_trees_start_from_effects_of_numbers_only_without_a_constraint() -> None:
    table, _, _ = _draw_rows(0)
    more = InputTable(table.numbers + np.array([0.5, 0.0]), table.codes)
    free, constrained = _fit(0), _fit(0, monotone=(1, 0))
    assert free.encode(more).offset.tolist() != free.encode(table).offset.tolist()
    assert constrained.encode(more).offset.tolist() == constrained.encode(table).offset.tolist()


def test_codes_come_last_and_are_missing_where_unseen() -> None:
    table, _, _ = _draw_rows(0)
    inputs = _fit(0).beside_codes().encode(table)
    assert inputs.native == 2
    expected = np.where(table.codes < 0, np.nan, table.codes)
    np.testing.assert_array_equal(inputs.matrix[:, -2:], expected)
    assert _fit(0).encode(table).native == 0


@pytest.mark.parametrize("known_share", [0.25, 0.5, 1.0])
def test_share_of_rows_keeps_all_levels(known_share: float) -> None:
    codes = np.column_stack([np.arange(4000) % 3, np.arange(4000) % 50, np.arange(4000) % 11])
    hidden = hide_levels(codes, known_share, np.random.default_rng(0))
    assert (hidden == codes).all(axis=1).mean() == pytest.approx(known_share, abs=0.03)
    assert ((hidden != codes).sum(axis=1) <= 1).all()
    assert (hidden[:, 0] == codes[:, 0]).all()
