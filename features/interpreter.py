"""The interpreter: base features of keys at moments, from signals.

The time rule stands here and nowhere else: an event is visible when `available_at <= as_of`, and
in a window when `as_of - days < event_time <= as_of`. Both are compared as day numbers
(features/days.py), after events of one key, day and day of knowledge were added up, so that wide
levels stay small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset import Dataset
from features.days import SECONDS_PER_DAY
from features.declarations import Base, Elapsed, Latest, Windowed
from features.horizons import Horizons
from features.levels import LEVEL_KEYS, Level
from features.signals import SIGNALS, Signal

AS_OF: Final = "as_of_day"


def day_of(moment: ir.TimestampValue) -> ir.IntegerValue:
    """Return the day number of the first midnight at or after a naive UTC time."""
    midnight = moment.truncate("D")
    whole = midnight.epoch_seconds() // SECONDS_PER_DAY
    return (whole + (moment > midnight).cast("int64")).cast("int64")


def level_values(
    dataset: Dataset, horizons: Horizons, features: Sequence[Base], keys: ir.Table
) -> ir.Table:
    """Return the base features of one level for the rows of `keys`.

    `keys` holds the level's key columns and `as_of_day`, each row once. The result has the same
    rows and columns plus one float64 column per feature; a feature of an absent table is null.
    """
    (level,) = {feature.level for feature in features}
    values = keys
    for name in dict.fromkeys(feature.signal for feature in features):
        if dataset.has(*SIGNALS[name].needs):
            events = _events(dataset, horizons, SIGNALS[name], level)
            ours = [feature for feature in features if feature.signal is name]
            values = _with_signal(values, events, ours, level)
    present = set(values.columns)
    nothing = {f.name: ibis.null("float64") for f in features if f.name not in present}
    values = values.mutate(**nothing)
    return values.select(*keys.columns, *(f.name for f in features))


def _events(dataset: Dataset, horizons: Horizons, signal: Signal, level: Level) -> ir.Table:
    """Return a signal's rows at a level, its keys renamed so that a join keeps both sides."""
    keys = LEVEL_KEYS[level]
    events = signal.build(dataset, horizons, keys).mutate(
        event_day=day_of(ibis._.event_time), available_day=day_of(ibis._.available_at)
    )
    return events.rename({_event_key(key): key for key in keys})


def _event_key(key: str) -> str:
    return f"event_{key}"


def _with_signal(
    values: ir.Table, events: ir.Table, features: Sequence[Base], level: Level
) -> ir.Table:
    """Add the features that rest on one signal."""
    keys = LEVEL_KEYS[level]
    rows = values.select(*keys, AS_OF)
    sums = [f for f in features if isinstance(f, Windowed)]
    if sums:
        values = _joined(values, _windowed(rows, events, sums, keys), keys)
        values = values.mutate(**{f.name: values[f.name].coalesce(0).cast("float64") for f in sums})
    for feature in features:
        if isinstance(feature, Elapsed):
            values = _joined(values, _elapsed(rows, events, feature, keys), keys)
        elif isinstance(feature, Latest):
            values = _joined(values, _latest(rows, events, feature, keys), keys)
    return values


def _visible(rows: ir.Table, events: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Pair each row with the events of its key that had happened and were known by then."""
    same_key = [rows[key] == events[_event_key(key)] for key in keys]
    return rows.inner_join(
        events,
        [
            *same_key,
            events.available_day <= rows[AS_OF],
            events.event_day <= rows[AS_OF],
        ],
    )


def _windowed(
    rows: ir.Table, events: ir.Table, features: Sequence[Windowed], keys: Sequence[str]
) -> ir.Table:
    """Sum measures over windows, all windows of a signal in one pass."""
    measures = dict.fromkeys(feature.measure for feature in features)
    daily = events.group_by(*map(_event_key, keys), "event_day", "available_day").agg(
        **{measure: events[measure].sum().cast("int64") for measure in measures}
    )
    visible = _visible(rows, daily, keys)
    longest = max(feature.days for feature in features)
    visible = visible.filter(visible.event_day > visible[AS_OF] - longest)
    return visible.group_by(*keys, AS_OF).agg(
        **{
            feature.name: visible[feature.measure]
            .sum(where=visible.event_day > visible[AS_OF] - feature.days)
            .cast("int64")
            for feature in features
        }
    )


def _elapsed(rows: ir.Table, events: ir.Table, feature: Elapsed, keys: Sequence[str]) -> ir.Table:
    """Count the days since the last visible event."""
    last = events.group_by(*map(_event_key, keys), "available_day", "event_day").agg()
    visible = _visible(rows, last, keys)
    lasts = visible.group_by(*keys, AS_OF).agg(last_day=visible.event_day.max())
    days = (lasts[AS_OF] - lasts.last_day).cast("float64")
    return lasts.select(*keys, AS_OF, **{feature.name: days})


def _latest(rows: ir.Table, events: ir.Table, feature: Latest, keys: Sequence[str]) -> ir.Table:
    """Take the value of the last visible event.

    Rows are numbered once per key; rows known later can shift the numbers but never the order of
    the others, so the highest number among the visible ones names the same row for ever.
    """
    event_keys = [_event_key(key) for key in keys]
    position = ibis.row_number().over(
        group_by=event_keys, order_by=("event_time", "available_at", feature.measure)
    )
    numbered = events.select(
        *event_keys, "event_day", "available_day", feature.measure, position=position
    )
    visible = _visible(rows, numbered, keys)
    value = visible[feature.measure].argmax(visible.position)
    return visible.group_by(*keys, AS_OF).agg(**{feature.name: value.cast("float64")})


def _joined(values: ir.Table, more: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Add columns computed for some of the rows."""
    names = [name for name in more.columns if name not in {*keys, AS_OF}]
    joined = values.left_join(more, [*keys, AS_OF])
    return joined.select(*values.columns, *names)
