"""Requirements: the attributes that markets demand of categories, with their days."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.categories import Category
from experiments.simulator.configuration.clock import DAY_US, Clock
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.knowledge import to_timestamps
from experiments.simulator.configuration.places import LANGUAGE_NEEDED, Place
from experiments.simulator.mechanisms.localisation import LocalisationSettings, list_certificates
from features.runtime.arrays import FloatArray, IntArray

BINDS_FROM: Final = {"certificate:REACH": 0.4}
BINDS_UNTIL: Final = {"certificate:UKCA": 0.6}
"""Shares of the time: REACH is extended to these goods, and Britain begins to accept CE."""
LONG_BEFORE: Final = -400
ANNOUNCED_BEFORE: Final = 60
SOURCES: Final = {
    "certificate:FDA": "21 CFR",
    "certificate:CE": "EU product legislation",
    "certificate:UKCA": "UK product safety regulations",
    "certificate:CPC": "CPSIA",
    "certificate:REACH": "EC 1907-2006",
}
PLATFORM: Final = "platform policy"


def binding_days(certificate: str, days: int) -> tuple[int, int | None]:
    """Return the first day on which a certificate is demanded, and the first day after, or None."""
    start = BINDS_FROM.get(certificate)
    stop = BINDS_UNTIL.get(certificate)
    first = LONG_BEFORE if start is None else int(start * days)
    return first, None if stop is None else int(stop * days)


def count_missing_certificates(
    market: Simulation, clock: Clock, settings: LocalisationSettings, rows: IntArray
) -> FloatArray:
    """Return the number of demanded certificates that candidates lack each day, (rows, days)."""
    missing = np.zeros((rows.size, clock.total_days))
    for name in list_certificates(market):
        first, stop = binding_days(name, clock.days)
        day = np.arange(clock.total_days)
        is_demanded = (day >= first) & (day < (clock.total_days if stop is None else stop))
        missing += (1 - settings[name].path(rows, clock.total_days)) * is_demanded
    return missing


def _list_requirements(category: Category, place: Place) -> list[str]:
    """Return the attributes that a market or the platform demands of a category."""
    by_law = [name for name, groups in category.certificates if place.group in groups]
    language = ["language"] if place.code in LANGUAGE_NEEDED else []
    size_chart = ["size_chart"] if category.is_sized else []
    plug = ["plug_voltage"] if category.is_electric else []
    return [*by_law, *language, *size_chart, *plug]


def requirement_rows(market: Simulation) -> pa.Table:
    """Return the table of requirements, each announced two months before it binds."""
    rows = []
    for place in market.market_places:
        for category in market.categories:
            for name in _list_requirements(category, place):
                first, stop = binding_days(name, market.days)
                rows.append(
                    (place.code, category.name, name, first, stop, SOURCES.get(name, PLATFORM))
                )
    code, category_name, attribute, first_days, stops, source = zip(*rows, strict=True)
    from_us = np.array(first_days, dtype=np.int64) * DAY_US
    is_open = np.array([stop is None for stop in stops])
    until_us = np.array([0 if stop is None else stop for stop in stops], dtype=np.int64) * DAY_US
    known = np.minimum(from_us - ANNOUNCED_BEFORE * DAY_US, 0)
    until = to_timestamps(market, until_us)
    return pa.table(
        {
            "market": pa.array(code),
            "category": pa.array(category_name),
            "attribute": pa.array(attribute),
            "valid_from": to_timestamps(market, from_us),
            "valid_to": pa.array(
                until.to_numpy(zero_copy_only=False), pa.timestamp("us"), mask=is_open
            ),
            "source": pa.array(source),
            "event_time": to_timestamps(market, known),
            "available_at": to_timestamps(market, known),
        }
    )
