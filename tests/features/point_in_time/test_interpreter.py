"""The interpreter: agreement with plain loops, and the values of a key without history."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.catalogue.catalogue import CATALOGUE
from features.declarations.kinds import COUNT_KINDS, BaseFeature, SignalName
from features.declarations.levels import LEVEL_KEYS, Level
from features.point_in_time.interpreter import key_values
from features.point_in_time.signal_rows import build_lazy_rows
from tests.oracle.features import Oracle
from tests.worlds.random_markets import (
    FIRST_DAY,
    HORIZONS,
    OPTIONAL_TABLES,
    Engine,
    list_keys,
    random_world,
    shared_engine,
)
from tests.worlds.tables import DAYS, Frames

SEEDS = st.integers(0, 2**32 - 1)
DAY = st.integers(0, DAYS + 100).map(lambda offset: FIRST_DAY + offset)


def expected(frames: Frames, features: tuple[BaseFeature, ...], keys: pd.DataFrame) -> pd.DataFrame:
    """Return the values that plain loops give for keys of one level, sorted by key and moment."""
    names = list(LEVEL_KEYS[features[0].level])
    oracles = {day: Oracle.at(frames, HORIZONS, day) for day in set(keys.as_of_day)}
    rows = [
        [*record.values()]
        + [
            oracles[record["as_of_day"]].value(feature, tuple(record[name] for name in names))
            for feature in features
        ]
        for record in keys.to_dict("records")
    ]
    frame = pd.DataFrame(rows, columns=[*keys.columns, *(feature.name for feature in features)])
    return frame.sort_values(list(keys.columns)).reset_index(drop=True)


@pytest.mark.parametrize("level", list(Level))
@settings(max_examples=6, deadline=None)
@given(seed=SEEDS, orders=st.sampled_from([0, 4, 60]), day=DAY)
def test_level_values_agree_with_plain_loops_bit_for_bit(
    level: Level, seed: int, orders: int, day: int
) -> None:
    frames, engine = random_world(seed, orders=orders), shared_engine()
    engine.load(frames)
    keys = list_keys(frames, level, [FIRST_DAY, day])
    assert_frame_equal(
        engine.values(level, keys),
        expected(frames, CATALOGUE.at_level(level), keys),
        check_dtype=False,
        check_exact=True,
    )


ABSENT = (
    ("deliveries", "videos", "stock", "requirements"),
    ("returns", "video_stats", "localisation", "prices"),
    ("creator_stats", "reviews", "supplier_audits", "policy_events"),
    OPTIONAL_TABLES,
)
"""Groups of tables such that no feature needs two of a group; then all tables."""


def test_every_optional_table_is_absent_once() -> None:
    assert sorted(name for group in ABSENT[:-1] for name in group) == sorted(OPTIONAL_TABLES)


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("absent", ABSENT, ids="-".join)
def test_absent_table_makes_its_features_null_and_no_other(
    absent: tuple[str, ...], level: Level
) -> None:
    world = random_world(7)
    frames = {name: frame for name, frame in world.items() if name not in absent}
    keys = list_keys(world, level, [FIRST_DAY + 100])
    features = CATALOGUE.at_level(level)
    engine = shared_engine(tuple(frames))
    engine.load(frames)
    values = engine.values(level, keys)
    assert_frame_equal(
        values, expected(frames, features, keys), check_dtype=False, check_exact=True
    )
    oracle = Oracle.at(frames, HORIZONS, FIRST_DAY)
    for feature in features:
        if not oracle.has(feature):
            assert values[feature.name].isna().all(), feature.name
        elif isinstance(feature, COUNT_KINDS):
            assert values[feature.name].notna().all(), feature.name


@pytest.mark.parametrize("level", list(Level))
def test_key_without_history_gets_zero_counts_and_null_for_the_rest(level: Level) -> None:
    engine = shared_engine()
    engine.load(random_world(3))
    unknown = dict.fromkeys(LEVEL_KEYS[level], "unknown")
    keys = pd.DataFrame([{**unknown, "as_of_day": FIRST_DAY + 50}])
    values = engine.values(level, keys).iloc[0]
    for feature in CATALOGUE.at_level(level):
        empty = 0.0 if isinstance(feature, COUNT_KINDS) else float("nan")
        assert values[feature.name] == pytest.approx(empty, nan_ok=True, abs=0), feature.name


@settings(max_examples=5, deadline=None)
@given(seed=SEEDS, day=DAY)
def test_creator_of_a_listing_is_that_of_its_latest_known_video(seed: int, day: int) -> None:
    frames, engine = random_world(seed), shared_engine()
    engine.load(frames)
    keys = list_keys(frames, Level.LISTING, [day])
    engine.load({"keys_listing": keys})
    rows = build_lazy_rows(engine.dataset, HORIZONS)
    table = engine.connection.table("keys_listing")
    values = key_values(rows, SignalName.VIDEOS, "creator_id", table)
    creators = engine.connection.execute(values).set_index("listing_id")["creator_id"]
    oracle = Oracle.at(frames, HORIZONS, day)
    for listing in keys.listing_id:
        made = [
            (row["event_time"], row["available_at"], row["creator_id"])
            for row in oracle.known_rows("videos")
            if row["listing_id"] == listing and row["event_time"] <= oracle.as_of
        ]
        latest = max(made)[-1] if made else None
        assert (None if pd.isna(creators[listing]) else creators[listing]) == latest


def test_creator_of_a_listing_is_null_without_videos() -> None:
    frames = {name: frame for name, frame in random_world(0).items() if name != "videos"}
    engine = Engine(frames)
    keys = ibis.memtable(list_keys(frames, Level.LISTING, [FIRST_DAY + 100]))
    rows = build_lazy_rows(engine.dataset, HORIZONS)
    values = engine.connection.execute(key_values(rows, SignalName.VIDEOS, "creator_id", keys))
    assert values.creator_id.isna().all()
