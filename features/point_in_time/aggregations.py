"""Aggregate the events of a signal, one function for each kind of base feature.

Each function takes distinct rows (a level's keys and `as_of_day`), the events of one signal with
renamed keys, and one or more features of a kind. It returns the rows that have visible events, with
one column a feature. Events are first added up by key, day and day of knowledge; only then are they
joined to the rows, so that wide levels stay small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from features.declarations.kinds import (
    Age,
    Distinct,
    Elapsed,
    Highest,
    Latest,
    Windowed,
)
from features.point_in_time.visibility import AS_OF, END, event_key, is_in_window, join_visible

Keys = Sequence[str]
DAYS: Final = ("event_day", "available_day")


def window_sums(
    rows: ir.Table, events: ir.Table, features: Sequence[Windowed], keys: Keys
) -> ir.Table:
    """Sum measures over windows; one pass computes all windows of a signal."""
    measures = dict.fromkeys(feature.measure for feature in features)
    daily = _group_daily(events, keys).agg(
        **{measure: events[measure].sum().cast("int64") for measure in measures}
    )
    return _aggregate_windows(
        rows,
        daily,
        features,
        keys,
        lambda pairs, feature, within: pairs[feature.measure].sum(where=within).cast("int64"),
    )


def highest_values(
    rows: ir.Table, events: ir.Table, features: Sequence[Highest], keys: Keys
) -> ir.Table:
    """Take the greatest value of each measure over its window."""
    measures = dict.fromkeys(feature.measure for feature in features)
    daily = _group_daily(events, keys).agg(**{name: events[name].max() for name in measures})
    return _aggregate_windows(
        rows,
        daily,
        features,
        keys,
        lambda pairs, feature, within: pairs[feature.measure].max(where=within),
    )


def _aggregate_windows(
    rows: ir.Table,
    daily: ir.Table,
    features: Sequence[Any],
    keys: Keys,
    aggregate: Callable[[ir.Table, Any, ir.BooleanValue], ir.Value],
) -> ir.Table:
    pairs = join_visible(rows, daily, keys)
    pairs = pairs.filter(is_in_window(pairs, max(feature.days for feature in features)))
    return pairs.group_by(*keys, AS_OF).agg(
        **{f.name: aggregate(pairs, f, is_in_window(pairs, f.days)) for f in features}
    )


def _group_daily(events: ir.Table, keys: Keys, *more: str) -> ir.Table:
    return events.group_by(*map(event_key, keys), *more, *DAYS, *_end_columns(events))


def _end_columns(events: ir.Table) -> Keys:
    """Return the column with the end of events, if they last."""
    return (END,) if END in events.columns else ()


def distinct_counts(rows: ir.Table, events: ir.Table, feature: Distinct, keys: Keys) -> ir.Table:
    """Count the different values of a column over a window."""
    values = events.filter(events[feature.column].notnull())
    values = _group_daily(values, keys, feature.column).agg()
    pairs = join_visible(rows, values, keys)
    pairs = pairs.filter(is_in_window(pairs, feature.days))
    return pairs.group_by(*keys, AS_OF).agg(**{feature.name: pairs[feature.column].nunique()})


def event_ages(rows: ir.Table, events: ir.Table, feature: Elapsed | Age, keys: Keys) -> ir.Table:
    """Count the days since the last visible event (`Elapsed`) or since the first one (`Age`)."""
    happened = events.filter(events[feature.measure] > 0)
    days = _group_daily(happened, keys).agg()
    pairs = join_visible(rows, days, keys)
    end = pairs.event_day.max() if isinstance(feature, Elapsed) else pairs.event_day.min()
    ends = pairs.group_by(*keys, AS_OF).agg(day=end)
    return ends.select(*keys, AS_OF, **{feature.name: (ends[AS_OF] - ends.day).cast("float64")})


def latest_values(rows: ir.Table, events: ir.Table, feature: Latest, keys: Keys) -> ir.Table:
    """Take the known value of the last visible event."""
    value = find_latest(rows, events, feature.measure, keys)
    return value.select(*keys, AS_OF, **{feature.name: value[feature.measure].cast("float64")})


def find_latest(rows: ir.Table, events: ir.Table, column: str, keys: Keys) -> ir.Table:
    """Return each row's value of a column in the last visible event that has one.

    Events are numbered by time within their key. Events that become known later can shift the
    numbers but not the order of the others, so the highest visible number always names the same
    event. Of the events with the same day and day of knowledge, only the last one can count.
    """
    known = events.filter(events[column].notnull())
    event_keys = [event_key(key) for key in keys]
    position = ibis.row_number().over(
        group_by=event_keys, order_by=("event_time", "available_at", column)
    )
    numbered = known.select(*event_keys, *DAYS, *_end_columns(known), column, position=position)
    last = _group_daily(numbered, keys).agg(
        **{column: numbered[column].argmax(numbered.position), "position": numbered.position.max()}
    )
    pairs = join_visible(rows, last, keys)
    return pairs.group_by(*keys, AS_OF).agg(**{column: pairs[column].argmax(pairs.position)})
