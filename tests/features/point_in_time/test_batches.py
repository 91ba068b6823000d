"""Batches of moments: no row is lost or repeated, and the values stay the same."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.point_in_time import batches
from features.point_in_time.signal_rows import SignalRows, build_stored_rows
from features.point_in_time.training_rows import build_training_rows
from features.point_in_time.visibility import AS_OF
from tests.worlds.random_markets import HORIZONS, Engine, random_world
from tests.worlds.refreshed import build_signals, minimal_catalogue


@pytest.fixture(scope="module")
def signals() -> SignalRows:
    return build_stored_rows(Engine(random_world(3, orders=240)).dataset, HORIZONS)


def _sizes(signals: SignalRows, moments: list[int], batch_rows: int) -> list[list[int]]:
    keys = ibis.memtable(pd.DataFrame({AS_OF: np.array(moments, np.int64)}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BATCH_ROWS", batch_rows)
        parts = batches.split_moments(signals, keys)
    frames = [signals.dataset.connection.execute(moments.filter_rows(keys)) for moments in parts]
    return [sorted(frame[AS_OF]) for frame in frames]


@pytest.mark.parametrize(
    ("moments", "batch_rows", "parts"),
    [
        ([5, 5, 5], 3, [[5, 5, 5]]),
        ([5, 5, 5, 6], 3, [[5, 5, 5], [6]]),
        ([5, 6, 7, 8], 2, [[5, 6], [7, 8]]),
        ([5, 5, 5, 5, 9], 2, [[5, 5, 5, 5], [9]]),  # a moment is never split
        ([], 2, [[]]),
    ],
)
def test_moments_with_too_many_rows_are_split(
    signals: SignalRows, moments: list[int], batch_rows: int, parts: list[list[int]]
) -> None:
    assert _sizes(signals, moments, batch_rows) == parts


@settings(max_examples=25, deadline=None)
@given(moments=st.lists(st.integers(-3, 9), min_size=1, max_size=30), batch_rows=st.integers(1, 12))
def test_every_row_is_in_one_batch_of_bounded_size(
    signals: SignalRows, moments: list[int], batch_rows: int
) -> None:
    parts = _sizes(signals, moments, batch_rows)
    assert [moment for part in parts for moment in part] == sorted(moments)
    for part in parts:
        assert len(part) - part.count(part[-1]) < batch_rows


def test_training_rows_in_batches_equal_those_in_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, features = random_world(3, orders=240), minimal_catalogue()
    whole = build_training_rows(build_signals(frames), features)
    monkeypatch.setattr(batches, "BATCH_ROWS", whole.num_rows // 4)
    assert build_training_rows(build_signals(frames), features).equals(whole)
