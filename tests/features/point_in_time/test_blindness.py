"""No feature depends on unknown events, on events of other keys, or on the order of rows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.declarations.levels import LEVEL_KEYS, Level
from tests.oracle.blindness import find_differences, find_future_leaks, keep_key
from tests.worlds.random_markets import FIRST_DAY, list_keys, random_world, shared_engine
from tests.worlds.tables import DAYS

SEEDS = st.integers(0, 2**32 - 1)
DAY = st.integers(0, DAYS + 100).map(lambda offset: FIRST_DAY + offset)
BUSY_DAY = st.integers(DAYS // 2, DAYS).map(lambda offset: FIRST_DAY + offset)


@pytest.mark.parametrize("level", list(Level))
@settings(max_examples=4, deadline=None)
@given(seed=SEEDS, other=SEEDS, day=DAY)
def test_what_is_known_after_as_of_leaves_every_feature_bit_identical(
    level: Level, seed: int, other: int, day: int
) -> None:
    frames, more = random_world(seed), random_world(other)
    assert find_future_leaks(shared_engine(), level, frames, more, day) == []


@pytest.mark.parametrize("level", list(Level))
@settings(max_examples=2, deadline=None)
@given(seed=SEEDS, day=BUSY_DAY)
def test_order_of_rows_leaves_every_feature_bit_identical(
    level: Level, seed: int, day: int
) -> None:
    frames = random_world(seed)
    shuffled = {n: f.sample(frac=1, random_state=seed % 1000) for n, f in frames.items()}
    keys = {level: list_keys(frames, level, [day])}
    assert find_differences(shared_engine(), keys, frames, shuffled) == []


@pytest.mark.parametrize("level", list(Level))
@settings(max_examples=3, deadline=None)
@given(seed=SEEDS, day=BUSY_DAY, pick=st.integers(0, 99))
def test_events_of_other_keys_leave_a_key_bit_identical(
    level: Level, seed: int, day: int, pick: int
) -> None:
    frames = random_world(seed)
    keys = list_keys(frames, level, [day])
    own = keys.iloc[[pick % len(keys)]]
    key = {name: str(own[name].iloc[0]) for name in LEVEL_KEYS[level]}
    alone = keep_key(frames, level, key)
    assert find_differences(shared_engine(), {level: own}, frames, alone) == []
