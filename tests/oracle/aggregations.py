"""Aggregate the events of a key for each kind of feature, by plain loops."""

from __future__ import annotations

import math

import pandas as pd

from features.declarations.kinds import (
    Age,
    BaseFeature,
    Distinct,
    Elapsed,
    Highest,
    Latest,
    Windowed,
    WindowFeature,
)
from tests.oracle.events import Event


def aggregate(feature: BaseFeature, events: list[Event], as_of: pd.Timestamp) -> float:
    """Return the value of a feature; all events had happened and were known at `as_of`."""
    match feature:
        case Latest():
            known = [e for e in events if e.measures[feature.measure] is not None]
            known.sort(key=lambda e: (e.at, e.known, e.measures[feature.measure]))
            return float(known[-1].measures[feature.measure]) if known else math.nan
        case Elapsed() | Age():
            moments = sorted(e.at for e in events if e.measures[feature.measure] > 0)
            if not moments:
                return math.nan
            moment = moments[-1] if isinstance(feature, Elapsed) else moments[0]
            return float((as_of - moment) // pd.Timedelta(days=1))
    assert isinstance(feature, WindowFeature)
    start = as_of - pd.Timedelta(days=feature.days)
    return _aggregate_window(feature, [e for e in events if e.at > start])


def _aggregate_window(feature: WindowFeature, events: list[Event]) -> float:
    if isinstance(feature, Distinct):
        return float(len({e.of[feature.column] for e in events} - {None}))
    values = [e.measures[feature.measure] for e in events]
    known = sorted(value for value in values if value is not None)
    match feature:
        case Windowed():
            return float(sum(known))
        case Highest():
            return float(known[-1]) if known else math.nan


def required_attributes(events: list[Event], as_of: pd.Timestamp) -> set[str]:
    """Return the attributes in force, given requirements that had begun and were known."""
    return {
        e.of["attribute"]
        for e in events
        if e.measures["ends_at"] is None or e.measures["ends_at"] > as_of
    }


def full_attributes(states: list[Event]) -> set[str]:
    """Return the attributes whose last value is 1."""
    values = {}
    for e in sorted(states, key=lambda e: (e.at, e.known, e.measures["value"])):
        values[e.of["attribute"]] = e.measures["value"]
    return {attribute for attribute, value in values.items() if value == 1}
