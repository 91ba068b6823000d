"""Signals at any level, made once for the listings and added up from there."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache

import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.days import day_number
from features.dataset.horizons import Horizons
from features.dataset.sql_cache import StepFunction
from features.declarations.kinds import SignalName
from features.declarations.levels import LEVEL_KEYS, NULLABLE_KEYS, Level
from features.point_in_time.visibility import END
from features.signals.registry import SIGNALS
from features.signals.signal import Keys, Signal, join_level_keys


@dataclass(frozen=True)
class SignalRows:
    """The events that a data set holds, signal by signal.

    `store` and `compute` decide what becomes of a step, which `compute` gets as a function and what
    to call it with: stored in the engine, or left as an expression. `subject_events` gives the
    events of a signal that adds up, by its subject, and `facts` the keys of each listing: both are
    kept from their first use on.
    """

    dataset: Dataset
    horizons: Horizons
    store: Callable[[ir.Table], ir.Table]
    compute: Callable[..., ir.Table]
    subject_events: Callable[[SignalName], ir.Table]
    facts: Callable[[], ir.Table]

    def has(self, name: SignalName) -> bool:
        """Tell whether the tables that a signal needs are there."""
        return self.dataset.has(*SIGNALS[name].needs)

    def at_level(self, name: SignalName, level: Level) -> ir.Table:
        """Return the events of a signal: the level's keys, times, day numbers, measures.

        Events that lack one of the keys (a product without a supplier) belong to nobody.
        """
        return select_events(*self.sources(name, level), keys=LEVEL_KEYS[level])

    def sources(self, name: SignalName, level: Level) -> tuple[ir.Table, ...]:
        """Return the tables that `select_events` makes the events of a signal at a level from."""
        keys = LEVEL_KEYS[level]
        if not SIGNALS[name].is_additive:
            return (_build_events(self.dataset, self.horizons, self.compute, SIGNALS[name], keys),)
        rows = self.subject_events(name)
        return (rows,) if set(keys) <= set(rows.columns) else (rows, self.facts())


def select_events(rows: ir.Table, facts: ir.Table | None = None, *, keys: Keys) -> ir.Table:
    """Return the events of a level's keys, which events of listings get from their facts."""
    events = rows if facts is None else join_level_keys(rows, facts, keys)
    nullable = [events[key].notnull() for key in keys if key in NULLABLE_KEYS]
    return events.filter(*nullable) if nullable else events


def build_stored_rows(dataset: Dataset, horizons: Horizons) -> SignalRows:
    """Return the signals for one run over the data: every step is computed once and stored."""
    return _build_rows(dataset, horizons, dataset.persist, dataset.compute_step)


def build_lazy_rows(dataset: Dataset, horizons: Horizons) -> SignalRows:
    """Return the signals as expressions alone: nothing is computed until asked for."""
    return _build_rows(dataset, horizons, lambda table: table, _as_expression)


def _as_expression(compute: StepFunction, *tables: ir.Table, **about: Hashable) -> ir.Table:
    return compute(*tables, **about)


def _build_rows(
    dataset: Dataset,
    horizons: Horizons,
    store: Callable[[ir.Table], ir.Table],
    compute: Callable[..., ir.Table],
) -> SignalRows:
    @cache
    def subject_events(name: SignalName) -> ir.Table:
        return _build_events(dataset, horizons, compute, SIGNALS[name], SIGNALS[name].subject)

    @cache
    def facts() -> ir.Table:
        return compute(_join_facts, dataset.tables["listings"], dataset.tables["products"])

    return SignalRows(dataset, horizons, store, compute, subject_events, facts)


def _join_facts(listings: ir.Table, products: ir.Table) -> ir.Table:
    tables = {"listings": listings, "products": products}
    return Dataset(connection=None, tables=tables, digest="").listing_facts()


def _build_events(
    dataset: Dataset,
    horizons: Horizons,
    compute: Callable[..., ir.Table],
    signal: Signal,
    keys: Keys,
) -> ir.Table:
    """Return the events of a signal by some keys, with day numbers."""
    names, tables = zip(*dataset.tables.items(), strict=True)
    return compute(
        _compute_events, *tables, names=names, horizons=horizons, signal=signal, keys=keys
    )


def _compute_events(
    *tables: ir.Table, names: tuple[str, ...], horizons: Horizons, signal: Signal, keys: Keys
) -> ir.Table:
    dataset = Dataset(connection=None, tables=dict(zip(names, tables, strict=True)), digest="")
    return _with_days(signal.build(dataset, horizons, keys))


def _with_days(events: ir.Table) -> ir.Table:
    """Add day numbers to the times of events; `END` to those that last."""
    days = {
        "event_day": day_number(events.event_time),
        "available_day": day_number(events.available_at),
    }
    if "ends_at" in events.columns:
        days[END] = day_number(events.ends_at)
    return events.mutate(**days)
