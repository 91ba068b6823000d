"""Touched keys: those whose features may have changed between two moments.

The time rule of features/point_in_time/visibility.py, read the other way round: a feature can only
change when an event becomes visible, leaves a window, or stops lasting; days since and ages grow
besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import ibis
import ibis.expr.types as ir

from features.declarations.kinds import (
    Base,
    Distinct,
    Fulfilled,
    Highest,
    LargestShare,
    Lowest,
    Quantile,
    SignalName,
    Windowed,
)
from features.declarations.levels import LEVEL_KEYS, Level
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import END

OVER_WINDOW: Final = (Windowed, Lowest, Highest, Quantile, Distinct, LargestShare)

TIMELESS: Final = frozenset(
    {SignalName.PRODUCT_FACTS, SignalName.LISTING_COSTS, SignalName.LISTING_STARTS}
)
"""Signals that hold what has no time of its own, such as who runs a listing: a correction of it
shows in no event."""


class Span(NamedTuple):
    """The days after `since` up to `until`."""

    since: int
    until: int

    def holds(self, day: ir.IntegerValue, later: int = 0) -> ir.BooleanValue:
        """Tell of each day whether the day `later` days after it lies in the span."""
        return (day > self.since - later) & (day <= self.until - later)


def touched_keys(signals: SignalRows, features: Sequence[Base], span: Span) -> ir.Table | None:
    """Return each key of the features' level that something happened to, None if nothing can.

    Some of them may have the same features as before; no other key can have different ones.
    """
    names = LEVEL_KEYS[features[0].level]
    tables = [table.select(*names) for table in _events(signals, features, span)]
    if not tables:
        return None
    return (ibis.union(*tables) if len(tables) > 1 else tables[0]).distinct()


def _events(signals: SignalRows, features: Sequence[Base], span: Span) -> Iterator[ir.Table]:
    """Yield of each signal the events that cross a boundary in the span."""
    level: Level = features[0].level
    for name in dict.fromkeys(name for feature in features for name in signals_of(feature)):
        if not signals.has(name):
            continue
        events = signals.at(name, level)
        lengths = {
            feature.days
            for feature in features
            if isinstance(feature, OVER_WINDOW) and feature.signal is name
        }
        yield events.filter(_crosses(events, sorted(lengths), span))


def signals_of(feature: Base) -> tuple[SignalName, ...]:
    """Return the signals that a feature is computed from."""
    states = (feature.states,) if isinstance(feature, Fulfilled) else ()
    return (feature.signal, *states)


def _crosses(events: ir.Table, lengths: Sequence[int], span: Span) -> ir.BooleanValue:
    """Tell of each event whether it becomes visible, leaves a window or ends in the span."""
    crossed = span.holds(ibis.greatest(events.event_day, events.available_day))
    for days in lengths:
        crossed |= span.holds(events.event_day, later=days)
    if END in events.columns:
        crossed |= span.holds(events[END]).fill_null(False)  # noqa: FBT003 - ibis's own signature
    return crossed
