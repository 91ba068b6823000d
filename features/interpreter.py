"""The interpreter: base features of keys at moments, from signals.

The time rule stands here and nowhere else: an event is visible when `available_at <= as_of`, and
in a window when `as_of - days < event_time <= as_of`. Both are compared as day numbers
(features/days.py), after events of one key, day and day of knowledge were added up, so that wide
levels stay small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import ibis
import ibis.expr.types as ir

from features.declarations import Base, Elapsed, Latest, Windowed
from features.levels import LEVEL_KEYS
from features.signal_rows import SignalRows

AS_OF: Final = "as_of_day"


def level_values(rows: SignalRows, features: Sequence[Base], keys: ir.Table) -> ir.Table:
    """Return the base features of one level for the rows of `keys`.

    `keys` holds the level's key columns and `as_of_day`, each row once. The result has the same
    rows and columns plus one float64 column per feature; a feature of an absent table is null.
    """
    (level,) = {feature.level for feature in features}
    names = LEVEL_KEYS[level]
    values = keys
    for part in _parts(rows, features, keys.select(*names, AS_OF)):
        values = _joined(values, rows.keep(part), names)
    columns = {feature.name: _filled(rows, feature, values) for feature in features}
    return values.select(*keys.columns, **columns)


def _parts(rows: SignalRows, features: Sequence[Base], keys: ir.Table) -> Iterator[ir.Table]:
    """Yield tables of the keys with columns that one pass over one signal gives."""
    level = features[0].level
    for name in dict.fromkeys(feature.signal for feature in features if rows.has(feature.signal)):
        events = rows.keep(_renamed(rows.at(name, level), LEVEL_KEYS[level]))
        ours = [feature for feature in features if feature.signal is name]
        if sums := [feature for feature in ours if isinstance(feature, Windowed)]:
            yield _windowed(keys, events, sums, LEVEL_KEYS[level])
        for feature in ours:
            if isinstance(feature, Elapsed):
                yield _elapsed(keys, events, feature, LEVEL_KEYS[level])
            elif isinstance(feature, Latest):
                yield _latest(keys, events, feature, LEVEL_KEYS[level])


def _filled(rows: SignalRows, feature: Base, values: ir.Table) -> ir.FloatingValue:
    """Return a feature's column: null for an absent table, 0 where nothing was counted."""
    if not rows.has(feature.signal):
        return ibis.null("float64")
    value = values[feature.name]
    if isinstance(feature, Windowed):
        value = value.coalesce(0)
    return value.cast("float64")


def _renamed(events: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Rename the keys of events, so that a join keeps both sides."""
    return events.rename({_event_key(key): key for key in keys})


def _event_key(key: str) -> str:
    return f"event_{key}"


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
