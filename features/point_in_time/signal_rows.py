"""The events of signals at any level, computed once for their subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.days import day_number
from features.dataset.horizons import Horizons
from features.declarations.kinds import SignalName
from features.declarations.levels import LEVEL_KEYS, NULLABLE_KEYS, Level
from features.point_in_time.visibility import END
from features.signals.registry import SIGNALS
from features.signals.signal import Keys, join_level_keys


@dataclass(frozen=True)
class SignalRows:
    """The events that a data set holds, signal by signal.

    `store` keeps the rows of an intermediate table in the engine, or leaves the table as an
    expression. Events are stored at their first use.
    """

    dataset: Dataset
    horizons: Horizons
    store: Callable[[ir.Table], ir.Table]
    _events: dict[tuple[SignalName, Keys], ir.Table] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def has(self, name: SignalName) -> bool:
        """Return True where the data have all tables that a signal needs."""
        return self.dataset.has(*SIGNALS[name].needs)

    def at_level(self, name: SignalName, level: Level) -> ir.Table:
        """Return the events of a signal: the level's keys, times, day numbers, measures.

        Events that lack one of the keys, such as those of a product without a supplier, are left
        out.
        """
        signal, keys = SIGNALS[name], LEVEL_KEYS[level]
        events = self._find_events(name, signal.subject if signal.is_additive else keys)
        if not set(keys) <= set(events.columns):
            events = join_level_keys(events, self.facts, keys)
        nullable = [events[key].notnull() for key in keys if key in NULLABLE_KEYS]
        return events.filter(*nullable) if nullable else events

    @cached_property
    def facts(self) -> ir.Table:
        """Return the keys of each listing, one row a listing."""
        return self.store(self.dataset.listing_facts())

    def _find_events(self, name: SignalName, keys: Keys) -> ir.Table:
        if (name, keys) not in self._events:
            events = SIGNALS[name].build(self.dataset, self.horizons, keys)
            self._events[name, keys] = self.store(_add_day_numbers(events))
        return self._events[name, keys]


def build_stored_rows(dataset: Dataset, horizons: Horizons) -> SignalRows:
    """Return the signals for one run over the data: intermediate tables are stored."""
    return SignalRows(dataset, horizons, dataset.persist)


def build_lazy_rows(dataset: Dataset, horizons: Horizons) -> SignalRows:
    """Return the signals as expressions: the engine computes nothing until it is asked to."""
    return SignalRows(dataset, horizons, lambda table: table)


def _add_day_numbers(events: ir.Table) -> ir.Table:
    """Add the day numbers of the times of events, and `END` to events that last."""
    days = {
        "event_day": day_number(events.event_time),
        "available_day": day_number(events.available_at),
    }
    if "ends_at" in events.columns:
        days[END] = day_number(events.ends_at)
    return events.mutate(**days)
