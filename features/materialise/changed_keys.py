"""Find the keys whose features may have changed between two moments.

This is the time rule of features/point_in_time/visibility.py read backwards: a feature changes only
when an event becomes visible, leaves a window or ends. Days since an event and ages also grow; the
refresh adds those days itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset.days import DaySpan
from features.declarations.kinds import (
    BaseFeature,
    Distinct,
    Fulfilled,
    Highest,
    SignalName,
    Windowed,
)
from features.declarations.levels import LEVEL_KEYS, Level
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import END

WINDOW_KINDS: Final = (Windowed, Highest, Distinct)

TIMELESS: Final = frozenset(
    {SignalName.PRODUCT_FACTS, SignalName.LISTING_COSTS, SignalName.LISTING_STARTS}
)
"""Signals of facts without a time of their own, such as who runs a listing: no event shows their
correction."""


def changed_keys(
    signals: SignalRows, features: Sequence[BaseFeature], span: DaySpan
) -> ir.Table | None:
    """Return each key of the features' level with an event that may change a feature.

    Some of these keys may keep their values; no other key can change. None if no feature has a
    signal in the data.
    """
    names = LEVEL_KEYS[features[0].level]
    tables = [table.select(*names) for table in _crossing_events(signals, features, span)]
    if not tables:
        return None
    return (ibis.union(*tables) if len(tables) > 1 else tables[0]).distinct()


def _crossing_events(
    signals: SignalRows, features: Sequence[BaseFeature], span: DaySpan
) -> Iterator[ir.Table]:
    """Yield, signal by signal, the events that cross a boundary in the span."""
    level: Level = features[0].level
    for name in dict.fromkeys(name for feature in features for name in list_signals(feature)):
        if not signals.has(name):
            continue
        events = signals.at_level(name, level)
        lengths = {
            feature.days
            for feature in features
            if isinstance(feature, WINDOW_KINDS) and feature.signal is name
        }
        yield events.filter(_is_crossing(events, sorted(lengths), span))


def list_signals(feature: BaseFeature) -> tuple[SignalName, ...]:
    """Return the signals from which a feature is computed."""
    states = (feature.states,) if isinstance(feature, Fulfilled) else ()
    return (feature.signal, *states)


def _is_in_span(day: ir.IntegerValue, span: DaySpan, later: int = 0) -> ir.BooleanValue:
    """Return whether each day, moved by `later` days, lies in the span."""
    return (day >= span.first - later) & (day <= span.last - later)


def _is_crossing(events: ir.Table, lengths: Sequence[int], span: DaySpan) -> ir.BooleanValue:
    """Return for each event whether it becomes visible, leaves a window or ends in the span."""
    crossed = _is_in_span(ibis.greatest(events.event_day, events.available_day), span)
    for days in lengths:
        crossed |= _is_in_span(events.event_day, span, later=days)
    if END in events.columns:
        crossed |= _is_in_span(events[END], span).fill_null(False)  # noqa: FBT003 - ibis's own signature
    return crossed
