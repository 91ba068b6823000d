"""The interpreter: base features of keys at moments, from signals.

What an event may be seen of when stands in features/point_in_time/visibility.py, what each kind of
feature does with visible events in features/point_in_time/aggregations.py; here they are put
together, level by level.
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
    LargestShare,
    Latest,
    Lowest,
    Quantile,
    Required,
    SignalName,
    Windowed,
)
from features.declarations.levels import LEVEL_KEYS, Level
from features.point_in_time import aggregations
from features.point_in_time.joins import left_join
from features.point_in_time.requirements import ATTRIBUTE, count_met, count_requirements
from features.point_in_time.signal_rows import SignalRows, select_events
from features.point_in_time.visibility import AS_OF, event_key
from features.signals.signal import Keys

ONE_PASS_KINDS: Final[Mapping[type[BaseFeature], Callable[..., ir.Table]]] = {
    Windowed: aggregations.window_sums,
    Lowest: aggregations.lowest_values,
    Highest: aggregations.highest_values,
}
"""Kinds of which one pass over a signal gives all features."""


def level_values(rows: SignalRows, features: Sequence[BaseFeature], keys: ir.Table) -> ir.Table:
    """Return the base features of one level for the rows of `keys`.

    `keys` holds the level's key columns and `as_of_day`, each row once. The result has the same
    rows and columns plus one float64 column per feature; a feature of an absent table is null.
    """
    (level,) = {feature.level for feature in features}
    known = tuple(feature for feature in features if has_signals(rows, feature))
    parts = _parts(rows, known, keys)
    names = LEVEL_KEYS[level]
    absent = frozenset(feature.name for feature in features if feature not in known)
    return rows.compute(
        _join_parts, keys, *parts, features=tuple(features), absent=absent, names=names
    )


def _join_parts(
    keys: ir.Table,
    *parts: ir.Table,
    features: Sequence[BaseFeature],
    absent: frozenset[str],
    names: Keys,
) -> ir.Table:
    """Put the parts' columns beside the keys, in the order of the features."""

    def columns(found: Mapping[str, ir.Value]) -> dict[str, ir.Value]:
        return {
            f.name: fill_missing(f, None if f.name in absent else found[f.name]) for f in features
        }

    return left_join(keys, [(part, (*names, AS_OF)) for part in parts], columns)


def fill_missing(feature: BaseFeature, value: ir.Value | None) -> ir.FloatingValue:
    """Return a feature's column: null for an absent table, 0 where nothing was counted."""
    if value is None:
        return ibis.null("float64")
    if isinstance(feature, COUNT_KINDS):
        value = value.coalesce(0)
    return value.cast("float64")


def has_signals(rows: SignalRows, feature: BaseFeature) -> bool:
    """Tell whether the data hold all that a feature is computed from."""
    states = (feature.states,) if isinstance(feature, Fulfilled) else ()
    return all(rows.has(name) for name in (feature.signal, *states))


def _parts(rows: SignalRows, features: Sequence[BaseFeature], keys: ir.Table) -> Iterator[ir.Table]:
    """Yield tables of the keys with columns that one pass over one signal gives."""
    for signal in dict.fromkeys(feature.signal for feature in features):
        ours = tuple(feature for feature in features if feature.signal is signal)
        level = ours[0].level
        sources = rows.sources(signal, level)
        for declared, kind in ONE_PASS_KINDS.items():
            if alike := tuple(feature for feature in ours if isinstance(feature, declared)):
                asked = {"kind": kind, "features": alike, "names": LEVEL_KEYS[level]}
                yield rows.compute(_compute_kind, keys, *sources, **asked)
        for feature in ours:
            if isinstance(feature, Fulfilled):
                states = rows.sources(feature.states, level)
                tables = (keys, *sources, *states)
                yield rows.compute(_count_met, *tables, feature=feature, sources=len(sources))
            elif not isinstance(feature, tuple(ONE_PASS_KINDS)):
                yield rows.compute(_compute_feature, keys, *sources, feature=feature)


def _compute_kind(
    keys: ir.Table,
    *sources: ir.Table,
    kind: Callable[..., ir.Table],
    features: Sequence[BaseFeature],
    names: Keys,
) -> ir.Table:
    """Return what one pass gives for all features of a kind."""
    events = rename_keys(select_events(*sources, keys=names), names)
    return kind(keys.select(*names, AS_OF), events, features, names)


def _count_met(*tables: ir.Table, feature: Fulfilled, sources: int) -> ir.Table:
    """Return what the requirements, of the first sources, and the states of a feature give."""
    names = LEVEL_KEYS[feature.level]
    keys, required, states = tables[0], tables[1 : 1 + sources], tables[1 + sources :]
    return count_met(
        keys.select(*names, AS_OF),
        rename_keys(select_events(*required, keys=names), names),
        rename_keys(select_events(*states, keys=names), (*names, ATTRIBUTE)),
        feature,
        names,
    )


def _compute_feature(
    keys: ir.Table,
    *sources: ir.Table,
    feature: Quantile | Distinct | LargestShare | Latest | Elapsed | Age | InForce | Required,
) -> ir.Table:
    """Return what one pass gives for one feature."""
    names = LEVEL_KEYS[feature.level]
    events = rename_keys(select_events(*sources, keys=names), names)
    asked = keys.select(*names, AS_OF)
    match feature:
        case Quantile():
            return aggregations.quantile(asked, events, feature, names)
        case Distinct():
            return aggregations.distinct_counts(asked, events, feature, names)
        case LargestShare():
            return aggregations.largest_share(asked, events, feature, names)
        case Latest():
            return aggregations.latest_values(asked, events, feature, names)
        case InForce() | Required():
            return count_requirements(asked, events, feature, names)
    return aggregations.event_ages(asked, events, feature, names)


def key_values(rows: SignalRows, signal: SignalName, column: str, keys: ir.Table) -> ir.Table:
    """Return `keys` of listings with the last visible value of a text column, null without any.

    For the keys of a level that a listing doesn't have once and for all, such as its creator.
    """
    if not rows.has(signal):
        return keys.mutate(**{column: ibis.null("string")})
    return rows.compute(_join_latest, keys, *rows.sources(signal, Level.LISTING), column=column)


def _join_latest(keys: ir.Table, *sources: ir.Table, column: str) -> ir.Table:
    names = LEVEL_KEYS[Level.LISTING]
    events = rename_keys(select_events(*sources, keys=names), names)
    latest_values = aggregations.find_latest(keys.select(*names, AS_OF), events, column, names)
    return left_join(keys, [(latest_values, (*names, AS_OF))], lambda found: found)


def rename_keys(events: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Rename the keys of events, so that a join keeps both sides."""
    return events.rename({event_key(key): key for key in keys})
