"""The interpreter: agreement with plain loops, and blindness to what could not be known."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.catalogue import CATALOGUE
from features.days import to_datetime
from features.levels import LEVEL_KEYS, Level
from tests.oracle import Oracle
from tests.worlds import DAYS, HORIZONS, START, Engine, Frames, keys_of, random_world

FIRST_DAY = int((START - pd.Timestamp("1970-01-01")).days)
EVENT_TABLES = ("orders", "deliveries", "returns", "prices", "stock")
SEEDS = st.integers(0, 2**32 - 1)
DAY = st.integers(0, DAYS + 100).map(lambda offset: FIRST_DAY + offset)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(random_world(0))


def bits(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return every float as its exact bits, so that -0.0 and NaN can't hide."""
    floats = frame.select_dtypes("float64")
    return {str(name): [float(v).hex() for v in floats[name]] for name in floats}


def expected(frames: Frames, level: Level, keys: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for record in keys.to_dict("records"):
        oracle = Oracle.at(frames, HORIZONS, record["as_of_day"])
        key = tuple(record[name] for name in LEVEL_KEYS[level])
        values = {f.name: oracle.value(f, key) for f in CATALOGUE.at(level)}
        rows.append([*record.values(), *values.values()])
    columns = [*keys.columns, *(f.name for f in CATALOGUE.at(level))]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(list(keys.columns)).reset_index(drop=True)


@pytest.mark.parametrize("level", list(Level))
@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, orders=st.sampled_from([0, 3, 60]), day=DAY)
def test_level_values_agree_with_plain_loops(
    engine: Engine, level: Level, seed: int, orders: int, day: int
) -> None:
    frames = random_world(seed, orders=orders)
    engine.load(frames)
    keys = keys_of(frames, level, [FIRST_DAY, day])
    assert_frame_equal(
        engine.values(level, keys.drop_duplicates()),
        expected(frames, level, keys.drop_duplicates()),
        check_dtype=False,
        check_exact=True,
    )


@pytest.mark.parametrize("level", list(Level))
@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, other=SEEDS, day=DAY)
def test_rows_known_after_as_of_leave_every_feature_bit_identical(
    engine: Engine, level: Level, seed: int, other: int, day: int
) -> None:
    frames, more = random_world(seed), random_world(other)
    keys = keys_of(frames, level, [day])
    engine.load(frames)
    before = bits(engine.values(level, keys))
    engine.load({name: _known_later(frames[name], more[name], day) for name in EVENT_TABLES})
    assert bits(engine.values(level, keys)) == before


def _known_later(frame: pd.DataFrame, more: pd.DataFrame, day: int) -> pd.DataFrame:
    """Add rows of another market that nobody can know at `day`, whenever they happened."""
    as_of = pd.Timestamp(to_datetime(day)).tz_localize(None)
    late = more.copy()
    unknown = late.available_at.isna()
    late["available_at"] = late.available_at.where(
        late.available_at > as_of, as_of + pd.Timedelta("1us")
    ).mask(unknown)
    if frame is not more and "order_id" in late:
        late["order_line_id"] = "X" + late.order_line_id
    return pd.concat([late, frame], ignore_index=True)


@pytest.mark.parametrize("level", list(Level))
@settings(max_examples=5, deadline=None)
@given(seed=SEEDS, day=DAY)
def test_order_of_rows_leaves_every_feature_bit_identical(
    engine: Engine, level: Level, seed: int, day: int
) -> None:
    frames = random_world(seed)
    keys = keys_of(frames, level, [day])
    engine.load(frames)
    before = bits(engine.values(level, keys))
    engine.load({n: f.sample(frac=1, random_state=seed % 1000) for n, f in frames.items()})
    assert bits(engine.values(level, keys)) == before


@settings(max_examples=5, deadline=None)
@given(seed=SEEDS, day=DAY)
def test_events_of_other_listings_leave_a_listing_bit_identical(
    engine: Engine, seed: int, day: int
) -> None:
    frames = random_world(seed)
    listing = frames["listings"].listing_id[0]
    keys = keys_of(frames, Level.LISTING, [day])
    keys = keys[keys.listing_id == listing]
    engine.load(frames)
    before = bits(engine.values(Level.LISTING, keys))
    tables = {name: frames[name] for name in ("orders", "prices", "stock")}
    engine.load({name: table[table.listing_id == listing] for name, table in tables.items()})
    assert bits(engine.values(Level.LISTING, keys)) == before


@pytest.mark.parametrize(
    ("absent", "null", "kept"),
    [
        (("stock",), "units_offered_180d", "units_ordered_28d"),
        (("returns",), "units_returned_180d", "units_ordered_28d"),
        (("prices",), None, "latest_paid_price_minor"),
        (("deliveries",), None, "units_ripe_180d"),
        (EVENT_TABLES[1:], "units_ripe_180d", "buyers_ripe_180d"),
    ],
)
def test_absent_table_makes_its_features_null_and_no_other(
    absent: tuple[str, ...], null: str | None, kept: str
) -> None:
    frames = {n: f for n, f in random_world(7).items() if n not in absent}
    keys = keys_of(frames, Level.LISTING, [FIRST_DAY + 100])
    values = Engine(frames).values(Level.LISTING, keys)
    assert_frame_equal(
        values, expected(frames, Level.LISTING, keys), check_dtype=False, check_exact=True
    )
    assert values[kept].notna().any()
    if null is not None:
        assert values[null].isna().all()


def test_key_without_history_gets_zero_counts_and_null_for_the_rest(engine: Engine) -> None:
    engine.load(random_world(3))
    keys = pd.DataFrame({"listing_id": ["nobody knows it"], "as_of_day": [FIRST_DAY + 50]})
    values = engine.values(Level.LISTING, keys).iloc[0]
    for feature in CATALOGUE.at(Level.LISTING):
        empty = 0.0 if type(feature).__name__ == "Windowed" else float("nan")
        assert values[feature.name] == pytest.approx(empty, nan_ok=True), feature.name
