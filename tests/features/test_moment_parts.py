"""Keys at moments in parts: nothing lost, nothing twice, and the same values."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import CATALOGUE
from features.interpreter import level_values
from features.levels import LEVEL_KEYS, Level
from features.moment_parts import moment_parts
from features.signal_rows import SignalRows, stored_rows
from features.visibility import AS_OF
from tests.worlds import HORIZONS, Engine, keys_of, random_world

FIRST = (pd.Timestamp("2024-01-01") - pd.Timestamp("1970-01-01")).days
DAYS = [FIRST + day for day in (30, 60, 80, 81, 119, 400)]


@pytest.fixture(scope="module")
def signals() -> SignalRows:
    return stored_rows(Engine(random_world(3, orders=240)).dataset, HORIZONS)


def _sizes(signals: SignalRows, moments: list[int], most_rows: int) -> list[list[int]]:
    keys = ibis.memtable(pd.DataFrame({AS_OF: np.array(moments, np.int64)}))
    parts = moment_parts(signals, keys, most_rows)
    frames = [signals.dataset.connection.execute(moments.of(keys)) for moments in parts]
    return [sorted(frame[AS_OF]) for frame in frames]


@pytest.mark.parametrize(
    ("moments", "most_rows", "parts"),
    [
        ([5, 5, 5], 3, [[5, 5, 5]]),
        ([5, 5, 5, 6], 3, [[5, 5, 5], [6]]),
        ([5, 6, 7, 8], 2, [[5, 6], [7, 8]]),
        ([5, 5, 5, 5, 9], 2, [[5, 5, 5, 5], [9]]),  # a moment is never divided
        ([], 2, [[]]),
    ],
)
def test_moments_are_divided_where_their_rows_are_too_many(
    signals: SignalRows, moments: list[int], most_rows: int, parts: list[list[int]]
) -> None:
    assert _sizes(signals, moments, most_rows) == parts


@settings(max_examples=25, deadline=None)
@given(moments=st.lists(st.integers(-3, 9), min_size=1, max_size=30), most_rows=st.integers(1, 12))
def test_every_row_is_in_one_part_of_bounded_size(
    signals: SignalRows, moments: list[int], most_rows: int
) -> None:
    parts = _sizes(signals, moments, most_rows)
    assert [one for part in parts for one in part] == sorted(moments)
    for part in parts:
        assert len(part) - part.count(part[-1]) < most_rows


@pytest.mark.parametrize("level", [Level.LISTING, Level.SUPPLIER_CATEGORY, Level.MARKET])
def test_values_of_parts_are_those_of_the_whole(level: Level) -> None:
    frames = random_world(3, orders=240)
    signals = stored_rows(Engine(frames).dataset, HORIZONS)
    keys = ibis.memtable(keys_of(frames, level, DAYS))
    order = [*LEVEL_KEYS[level], AS_OF]
    some = CATALOGUE.at(level)[::4]

    def values(part: ibis.Table) -> pd.DataFrame:
        table = level_values(signals, some, part)
        return pd.DataFrame(signals.dataset.connection.execute(table))

    whole = values(keys).sort_values(order, ignore_index=True)
    parts = moment_parts(signals, keys, most_rows=len(whole) // 4)
    assert len(parts) > 2
    joined = pd.concat([values(moments.of(keys)) for moments in parts]).sort_values(
        order, ignore_index=True
    )
    pd.testing.assert_frame_equal(joined, whole, check_exact=True)
