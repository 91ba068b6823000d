"""A key is touched where an event of it becomes visible, leaves a window or ends, and only there.

One key with one event, for every signal that features of the catalogue read: a new signal, level
or window is tested by being declared.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import ibis
import ibis.expr.types as ir
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.dataset.days import DaySpan
from features.declarations.kinds import BaseFeature, SignalName
from features.declarations.levels import LEVEL_KEYS, Level
from features.materialise.changed_keys import changed_keys, list_signals
from features.point_in_time.signal_rows import SignalRows, build_lazy_rows
from features.point_in_time.visibility import END
from features.signals.registry import SIGNALS
from tests.worlds.random_markets import HORIZONS, shared_engine

DAY = 20_000
LASTS = 1_000
"""Days after which an event is over: longer than any window."""
QUIET = 5
"""Days without a boundary on either side of all boundaries."""
LATE, AHEAD = DAY + 2, DAY - 3
"""When an event is known: after it, or announced before it."""
READ = sorted({(name, one.level) for one in CATALOGUE.base for name in list_signals(one)})
CASES = [
    *((name, level, LATE) for name, level in READ),
    *((name, level, AHEAD) for name, level in dict(READ).items()),
]


def of_contract() -> SignalRows:
    return build_lazy_rows(shared_engine().dataset, HORIZONS)


def with_one_event(name: SignalName, level: Level, *, known: int) -> SignalRows:
    """Return signals of which one has an event, at `DAY` and known then, and no other has any."""
    signals = of_contract()
    days = {"event_day": DAY, "available_day": known, END: DAY + LASTS}
    columns = signals.at_level(name, level).schema().items()
    row = {
        column: "key" if column in LEVEL_KEYS[level] else days.get(column) for column, _ in columns
    }
    event = ibis.memtable([row], schema=dict(columns))

    @dataclass(frozen=True)
    class OneEvent(SignalRows):
        def at_level(self, asked: SignalName, level: Level) -> ir.Table:
            return event if asked is name else signals.at_level(asked, level).limit(0)

    return OneEvent(signals.dataset, signals.horizons, signals.store)


def features_reading(name: SignalName, level: Level) -> list[BaseFeature]:
    return [one for one in CATALOGUE.at_level(level) if name in list_signals(one)]


def boundaries_of(name: SignalName, level: Level, *, known: int) -> list[int]:
    """Return the days on which an event of `DAY` is seen otherwise than on the day before."""
    facts = [vars(one) for one in features_reading(name, level) if one.signal is name]
    windows = {one["days"] for one in facts if "days" in one}
    ends = {LASTS} if END in of_contract().at_level(name, level).columns else set()
    return sorted({max(DAY, known), *(DAY + days for days in windows | ends)})


def spans_around(boundaries: list[int]) -> dict[DaySpan, bool]:
    """Return the days of boundaries, and all that lies between them, with whether it touches."""
    stops = [boundaries[0] - QUIET, *boundaries, boundaries[-1] + QUIET]
    between = [DaySpan(stop + 1, following - 1) for stop, following in pairwise(stops)]
    return dict.fromkeys(between, False) | {DaySpan(day, day): True for day in boundaries}


def touches(
    signals: SignalRows, features: list[BaseFeature], spans: dict[DaySpan, bool]
) -> dict[DaySpan, bool]:
    """Tell of each span whether the one key is touched in it."""
    tables = []
    for place, span in enumerate(spans):
        keys = changed_keys(signals, features, span)
        assert keys is not None
        tables.append(keys.agg(place=ibis.literal(place), rows=keys.count()))
    found = signals.dataset.connection.to_pyarrow(ibis.union(*tables)).to_pylist()
    rows = {one["place"]: one["rows"] for one in found}
    return {span: rows[place] == 1 for place, span in enumerate(spans)}


@pytest.mark.parametrize(("name", "level", "known"), CASES)
def test_key_is_touched_at_each_boundary_of_its_event_and_nowhere_else(
    name: SignalName, level: Level, known: int
) -> None:
    spans = spans_around(boundaries_of(name, level, known=known))
    signals = with_one_event(name, level, known=known)
    assert touches(signals, features_reading(name, level), spans) == spans


def test_every_signal_is_read_by_a_feature_and_three_have_an_end() -> None:
    assert {name for name, _ in READ} == set(SIGNALS)
    lasting = {name for name, level in READ if END in of_contract().at_level(name, level).columns}
    assert lasting == {SignalName.ORDERS, SignalName.OPEN_UNITS, SignalName.REQUIREMENTS}
