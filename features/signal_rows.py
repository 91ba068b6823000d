"""Signals at any level, made once for the listings and added up from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import ibis.expr.types as ir

from features.dataset import Dataset
from features.days import SECONDS_PER_DAY
from features.declarations import SignalName
from features.horizons import Horizons
from features.levels import LEVEL_KEYS, NULLABLE_KEYS, Level
from features.signals.registry import SIGNALS
from features.signals.signal import keyed


def day_of(moment: ir.TimestampValue) -> ir.IntegerValue:
    """Return the day number of the first midnight at or after a naive UTC time."""
    midnight = moment.truncate("D")
    whole = midnight.epoch_seconds() // SECONDS_PER_DAY
    return (whole + (moment > midnight).cast("int64")).cast("int64")


@dataclass(frozen=True)
class SignalRows:
    """The events that a data set holds, signal by signal.

    `keep` decides what becomes of a step: stored in the engine, or left as an expression.
    """

    dataset: Dataset
    horizons: Horizons
    keep: Callable[[ir.Table], ir.Table]
    of_subject: Callable[[SignalName], ir.Table]
    """Return the events of a signal that adds up, by its subject; kept from its first use on."""

    def has(self, name: SignalName) -> bool:
        """Tell whether the tables that a signal needs are there."""
        return self.dataset.has(*SIGNALS[name].needs)

    def at(self, name: SignalName, level: Level) -> ir.Table:
        """Return the events of a signal: the level's keys, times, day numbers, measures.

        Events that lack one of the keys (a product without a supplier) belong to nobody.
        """
        keys = LEVEL_KEYS[level]
        if SIGNALS[name].adds_up:
            rows = keyed(self.dataset, self.of_subject(name), keys)
        else:
            built = SIGNALS[name].build(self.dataset, self.horizons, keys)
            rows = self.keep(_with_days(built))
        nullable = [rows[key].notnull() for key in keys if key in NULLABLE_KEYS]
        return rows.filter(*nullable) if nullable else rows


def stored_rows(dataset: Dataset, horizons: Horizons) -> SignalRows:
    """Return the signals for one run over the data: every step is computed once and stored."""
    return _rows(dataset, horizons, dataset.stored)


def lazy_rows(dataset: Dataset, horizons: Horizons) -> SignalRows:
    """Return the signals as expressions alone: nothing is computed until asked for."""
    return _rows(dataset, horizons, lambda table: table)


def _rows(dataset: Dataset, horizons: Horizons, keep: Callable[[ir.Table], ir.Table]) -> SignalRows:
    @cache
    def of_subject(name: SignalName) -> ir.Table:
        signal = SIGNALS[name]
        return keep(_with_days(signal.build(dataset, horizons, signal.subject)))

    return SignalRows(dataset, horizons, keep, of_subject)


def _with_days(events: ir.Table) -> ir.Table:
    """Add day numbers to the times of events; `end_day` to those that last."""
    days = {"event_day": day_of(events.event_time), "available_day": day_of(events.available_at)}
    if "ends_at" in events.columns:
        days["end_day"] = day_of(events.ends_at)
    return events.mutate(**days)
