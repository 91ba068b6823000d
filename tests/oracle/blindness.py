"""What a feature must not see, as checks that name the features which saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from features.contract.tables import TABLE_BY_NAME
from features.dataset.days import to_datetime
from features.declarations.kinds import BaseFeature
from features.declarations.levels import LEVEL_KEYS, Level
from tests.worlds.random_markets import EVENT_TABLES, Engine, list_keys
from tests.worlds.tables import Frames, cast_types

TICK = pd.Timedelta("1us")
RENAMED = ("order_line_id", "review_id", "video_id")
"""Columns that name an event; rows of another market get names of their own half of the time."""


def bits(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return every float as its exact bits, so that -0.0 and NaN can't hide."""
    floats = frame.select_dtypes("float64")
    return {str(name): [float(v).hex() for v in floats[name]] for name in floats}


def find_differences(
    engine: Engine,
    keys: Mapping[Level, pd.DataFrame],
    before: Frames,
    after: Frames,
    features: Sequence[BaseFeature] | None = None,
) -> list[str]:
    """Return the features whose bits differ between two states of the tables."""
    differences = []
    for level, level_keys in keys.items():
        engine.load(before)
        old = bits(engine.values(level, level_keys, features))
        engine.load(after)
        new = bits(engine.values(level, level_keys, features))
        differences += [name for name in old if old[name] != new[name]]
    return differences


def find_future_leaks(
    engine: Engine,
    level: Level,
    frames: Frames,
    more: Frames,
    day: int,
    features: Sequence[BaseFeature] | None = None,
) -> list[str]:
    """Return the features that use events that were unknown or had not begun at `day`."""
    before = {name: filter_known(name, frame, day) for name, frame in frames.items()}
    after = add_future(frames, more, day)
    keys = {level: list_keys(frames, level, [day])}
    return find_differences(engine, keys, before, after, features)


def midnight(day: int) -> pd.Timestamp:
    return pd.Timestamp(to_datetime(day)).tz_localize(None)


def filter_known(name: str, frame: pd.DataFrame, day: int) -> pd.DataFrame:
    """Return the rows of a table that were known on a day."""
    if name not in EVENT_TABLES:
        return frame
    return frame[frame.available_at <= midnight(day)].reset_index(drop=True)


def add_future(frames: Frames, more: Frames, day: int) -> Frames:
    """Add rows that are unknown at `day`, and requirements and listings that begin later."""
    as_of = midnight(day)
    tables = {name: _add_unknown(name, frames[name], more[name], as_of) for name in EVENT_TABLES}
    begun = more["requirements"].assign(
        valid_from=as_of + TICK, valid_to=None, event_time=as_of, available_at=as_of
    )
    tables["requirements"] = _merge_unique("requirements", begun, tables["requirements"])
    listed = frames["listings"].assign(listed_at=as_of + TICK)
    listed["listing_id"] = "later-" + listed.listing_id
    tables["listings"] = _merge_unique("listings", listed, frames["listings"])
    return {**frames, **tables}


def _add_unknown(
    name: str, frame: pd.DataFrame, more: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Add rows of another market that become known only after `as_of`."""
    late = more.copy()
    unknown = late.available_at.isna()
    is_late = late.available_at > as_of
    late["available_at"] = late.available_at.where(is_late, as_of + TICK).mask(unknown)
    other = late.assign(**{column: "X" + late[column] for column in RENAMED if column in late})
    known = filter_known(name, frame, (as_of - pd.Timestamp("1970-01-01")).days)
    return _merge_unique(name, other, late, known)


def _merge_unique(name: str, *frames: pd.DataFrame) -> pd.DataFrame:
    """Concatenate tables; of rows with the same key, keep the last."""
    key = list(TABLE_BY_NAME[name].key)
    rows = pd.concat([frame for frame in frames if len(frame)] or [frames[0]])
    return cast_types(name, rows.drop_duplicates(key, keep="last"))


def keep_key(frames: Frames, level: Level, key: Mapping[str, str]) -> Frames:
    """Return the market with only the events of one key of a level."""
    facts = frames["listings"].merge(frames["products"].drop(columns="currency"), on="product_id")
    for name in LEVEL_KEYS[level]:
        if name in facts:
            facts = facts[facts[name] == key[name]]
    key_values = {"listing_id": set(facts.listing_id)}
    key_values |= {name: {value} for name, value in key.items() if name != "listing_id"}
    kept = {
        name: _filter_rows(frame, key_values) if name in EVENT_TABLES else frame
        for name, frame in frames.items()
    }
    filmed = kept["videos"]
    for name in ("deliveries", "returns"):
        kept[name] = _filter_rows(kept[name], {"order_line_id": set(kept["orders"].order_line_id)})
    kept["video_stats"] = _filter_rows(kept["video_stats"], {"video_id": set(filmed.video_id)})
    if level is not Level.CREATOR:
        creators = set(filmed.creator_id)
        kept["creator_stats"] = _filter_rows(kept["creator_stats"], {"creator_id": creators})
    # What is required of a listing is a fact of its category and market.
    required = kept["requirements"].merge(facts[["category", "market"]].drop_duplicates())
    kept["requirements"] = cast_types("requirements", required)
    return kept


def _filter_rows(frame: pd.DataFrame, values: Mapping[str, set[str]]) -> pd.DataFrame:
    for name in set(values) & set(frame.columns):
        frame = frame[frame[name].isin(values[name])]
    return frame.reset_index(drop=True)
