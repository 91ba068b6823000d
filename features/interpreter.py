"""The interpreter: base features of keys at moments, from signals.

What an event may be seen of when stands in features/visibility.py, what each kind of feature does
with visible events in features/kinds.py; here they are put together, level by level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import ibis
import ibis.expr.types as ir

from features import kinds
from features.declarations import (
    Age,
    Base,
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
from features.levels import LEVEL_KEYS, Level
from features.requirements_met import ATTRIBUTE, fulfilled, in_force
from features.signal_rows import SignalRows
from features.visibility import AS_OF, event_key

COUNTING = (Windowed, Distinct, InForce, Required, Fulfilled)
"""Kinds that are 0, not null, where nothing happened."""


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
    columns = {feature.name: filled(rows, feature, values) for feature in features}
    return values.select(*keys.columns, **columns)


def filled(rows: SignalRows, feature: Base, values: ir.Table) -> ir.FloatingValue:
    """Return a feature's column: null for an absent table, 0 where nothing was counted."""
    if not has_signals(rows, feature):
        return ibis.null("float64")
    value = values[feature.name]
    if isinstance(feature, COUNTING):
        value = value.coalesce(0)
    return value.cast("float64")


def has_signals(rows: SignalRows, feature: Base) -> bool:
    """Tell whether the data hold all that a feature is computed from."""
    states = (feature.states,) if isinstance(feature, Fulfilled) else ()
    return all(rows.has(name) for name in (feature.signal, *states))


def _parts(rows: SignalRows, features: Sequence[Base], keys: ir.Table) -> Iterator[ir.Table]:
    """Yield tables of the keys with columns that one pass over one signal gives."""
    level = features[0].level
    names = LEVEL_KEYS[level]
    known = [feature for feature in features if has_signals(rows, feature)]
    for signal in dict.fromkeys(feature.signal for feature in known):
        events = renamed(rows.at(signal, level), names)
        ours = [feature for feature in known if feature.signal is signal]
        yield from _together(keys, events, ours, names)
        for feature in ours:
            if isinstance(feature, Fulfilled):
                states = renamed(rows.at(feature.states, level), (*names, ATTRIBUTE))
                yield fulfilled(keys, events, states, feature, names)
            elif not isinstance(feature, (Windowed, Lowest, Highest)):
                yield _alone(keys, events, feature, names)


def _together(
    keys: ir.Table, events: ir.Table, features: Sequence[Base], names: Sequence[str]
) -> Iterator[ir.Table]:
    """Yield what one pass gives for all features of a kind."""
    if sums := [feature for feature in features if isinstance(feature, Windowed)]:
        yield kinds.windowed(keys, events, sums, names)
    if least := [feature for feature in features if isinstance(feature, Lowest)]:
        yield kinds.lowest(keys, events, least, names)
    if most := [feature for feature in features if isinstance(feature, Highest)]:
        yield kinds.highest(keys, events, most, names)


def _alone(
    keys: ir.Table,
    events: ir.Table,
    feature: Quantile | Distinct | LargestShare | Latest | Elapsed | Age | InForce | Required,
    names: Sequence[str],
) -> ir.Table:
    """Return what one pass gives for one feature."""
    match feature:
        case Quantile():
            return kinds.quantile(keys, events, feature, names)
        case Distinct():
            return kinds.distinct(keys, events, feature, names)
        case LargestShare():
            return kinds.largest_share(keys, events, feature, names)
        case Latest():
            return kinds.latest(keys, events, feature, names)
        case InForce() | Required():
            return in_force(keys, events, feature, names)
    return kinds.elapsed(keys, events, feature, names)


def key_values(rows: SignalRows, signal: SignalName, column: str, keys: ir.Table) -> ir.Table:
    """Return `keys` of listings with the last visible value of a text column, null without any.

    For the keys of a level that a listing doesn't have once and for all, such as its creator.
    """
    if not rows.has(signal):
        return keys.mutate(**{column: ibis.null("string")})
    names = ("listing_id",)
    events = renamed(rows.at(signal, Level.LISTING), names)
    return _joined(keys, kinds.latest_of(keys.select(*names, AS_OF), events, column, names), names)


def renamed(events: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Rename the keys of events, so that a join keeps both sides."""
    return events.rename({event_key(key): key for key in keys})


def _joined(values: ir.Table, more: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Add columns computed for some of the rows."""
    names = [name for name in more.columns if name not in {*keys, AS_OF}]
    joined = values.left_join(more, [*keys, AS_OF])
    return joined.select(*values.columns, *names)
