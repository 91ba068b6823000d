"""The interpreter: compute base features of keys at moments, from signals.

It combines the time rule (features/point_in_time/visibility.py) with the aggregation of each kind
(features/point_in_time/aggregations.py, requirements.py), one level at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import ibis
import ibis.expr.types as ir

from features.declarations.kinds import (
    COUNT_KINDS,
    Age,
    BaseFeature,
    Distinct,
    Elapsed,
    Fulfilled,
    Highest,
    InForce,
    Latest,
    Required,
    SignalName,
    Windowed,
)
from features.declarations.levels import LEVEL_KEYS, Level
from features.point_in_time import aggregations
from features.point_in_time.joins import left_join
from features.point_in_time.requirements import ATTRIBUTE, count_fulfilled, count_requirements
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import AS_OF, event_key

ONE_PASS_KINDS: Final[Mapping[type[BaseFeature], Callable[..., ir.Table]]] = {
    Windowed: aggregations.window_sums,
    Highest: aggregations.highest_values,
}
"""Kinds whose features of one signal all come from one pass over its events."""

ONE_FEATURE_KINDS: Final[Mapping[type[BaseFeature], Callable[..., ir.Table]]] = {
    Distinct: aggregations.distinct_counts,
    Latest: aggregations.latest_values,
    Elapsed: aggregations.event_ages,
    Age: aggregations.event_ages,
    InForce: count_requirements,
    Required: count_requirements,
}
"""Kinds whose features each need a pass of their own."""


def level_values(rows: SignalRows, features: Sequence[BaseFeature], keys: ir.Table) -> ir.Table:
    """Return the base features of one level for the rows of `keys`.

    `keys` holds the level's key columns and `as_of_day`, each row once. The result has the same
    rows and columns and one float64 column a feature; a feature of an absent table is null.
    """
    (level,) = {feature.level for feature in features}
    names = (*LEVEL_KEYS[level], AS_OF)
    present = [feature for feature in features if has_signals(rows, feature)]
    parts = _compute_parts(rows, present, keys.select(*names))
    joined = left_join(keys, [(rows.store(part), names) for part in parts])
    return rows.store(joined.select(*keys.columns, **feature_columns(rows, features, joined)))


def feature_columns(
    rows: SignalRows, features: Sequence[BaseFeature], table: ir.Table
) -> dict[str, ir.FloatingValue]:
    """Return a float64 column for each feature; null where the data lack a table it needs."""
    return {
        feature.name: _fill_missing(feature, table[feature.name])
        if has_signals(rows, feature)
        else ibis.null("float64")
        for feature in features
    }


def _fill_missing(feature: BaseFeature, value: ir.Value) -> ir.FloatingValue:
    """Return 0 for null where the feature counts something."""
    counted = value.coalesce(0) if isinstance(feature, COUNT_KINDS) else value
    return counted.cast("float64")


def has_signals(rows: SignalRows, feature: BaseFeature) -> bool:
    """Return True where the data have everything that a feature is computed from."""
    states = (feature.states,) if isinstance(feature, Fulfilled) else ()
    return all(rows.has(name) for name in (feature.signal, *states))


def _compute_parts(
    signals: SignalRows, features: Sequence[BaseFeature], rows: ir.Table
) -> Iterator[ir.Table]:
    """Yield tables of the rows' keys with the columns that one pass over a signal gives."""
    for name in dict.fromkeys(feature.signal for feature in features):
        same_signal = [feature for feature in features if feature.signal is name]
        level = same_signal[0].level
        keys = LEVEL_KEYS[level]
        events = rename_keys(signals.at_level(name, level), keys)
        for kind, aggregate in ONE_PASS_KINDS.items():
            if same_kind := [feature for feature in same_signal if isinstance(feature, kind)]:
                yield aggregate(rows, events, same_kind, keys)
        for feature in same_signal:
            if isinstance(feature, Fulfilled):
                states = signals.at_level(feature.states, level)
                states = rename_keys(states, (*keys, ATTRIBUTE))
                yield count_fulfilled(rows, events, states, feature, keys)
            elif type(feature) not in ONE_PASS_KINDS:
                yield ONE_FEATURE_KINDS[type(feature)](rows, events, feature, keys)


def key_values(rows: SignalRows, signal: SignalName, column: str, keys: ir.Table) -> ir.Table:
    """Return `keys` of listings with the last visible value of a text column, null without any.

    Use it for keys that a listing doesn't have for good, such as its creator.
    """
    if not rows.has(signal):
        return keys.mutate(**{column: ibis.null("string")})
    names = LEVEL_KEYS[Level.LISTING]
    events = rename_keys(rows.at_level(signal, Level.LISTING), names)
    latest = aggregations.find_latest(keys.select(*names, AS_OF), events, column, names)
    return rows.store(left_join(keys, [(latest, (*names, AS_OF))]))


def rename_keys(events: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Rename the keys of events, so that a join keeps both sides."""
    return events.rename({event_key(key): key for key in keys})
