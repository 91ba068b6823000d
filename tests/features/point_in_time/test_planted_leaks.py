"""Plant leaks into the interpreter, to prove that the battery reports them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import ibis.expr.types as ir
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.declarations.kinds import BaseFeature, SignalName
from features.declarations.levels import LEVEL_KEYS, Level
from features.point_in_time.interpreter import level_values, rename_keys
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import AS_OF, event_key
from features.signals.registry import SIGNALS
from features.signals.signal import Keys
from tests.oracle.blindness import find_future_leaks
from tests.worlds.random_markets import FIRST_DAY, Engine, random_world

NOTHING_TO_FORGET = {
    SignalName.LISTING_STARTS,
    SignalName.LISTING_COSTS,
    SignalName.PRODUCT_FACTS,
}
"""Signals of tables without `available_at`."""
FORGETFUL = [name for name in SIGNALS if name not in NOTHING_TO_FORGET]
PLACES = [(seed, FIRST_DAY + day) for seed in (0, 1, 2) for day in (40, 90, 110)]


def find_first_leaks(engine: Engine, level: Level, features: Sequence[BaseFeature]) -> set[str]:
    """Return the first leaks that the check of test_blindness.py reports."""
    for seed, day in PLACES:
        frames, more = random_world(seed), random_world(seed + 100)
        if leaks := find_future_leaks(engine, level, frames, more, day, features):
            return set(leaks)
    return set()


@pytest.mark.parametrize("name", FORGETFUL)
def test_signal_that_looks_at_event_time_alone_is_reported(
    name: SignalName, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = SIGNALS[name]

    def forgetful(dataset: Dataset, horizons: Horizons, keys: Keys) -> ir.Table:
        events = signal.build(dataset, horizons, keys)
        return events.mutate(available_at=events["event_time"])

    monkeypatch.setitem(SIGNALS, name, replace(signal, build=forgetful))
    reader = next(f for f in CATALOGUE.base if f.signal is name)
    other = next(f for f in CATALOGUE.at_level(reader.level) if f.signal is not name)
    engine = Engine(random_world(1), level_values)
    assert find_first_leaks(engine, reader.level, [reader, other]) == {reader.name}


def test_kind_that_ignores_whether_something_has_begun_is_reported() -> None:
    def compute(rows: SignalRows, features: Sequence[BaseFeature], keys: ir.Table) -> ir.Table:
        (feature,) = features
        names = LEVEL_KEYS[feature.level]
        required = rename_keys(rows.at_level(feature.signal, feature.level), names)
        known = keys.inner_join(
            required,
            [
                *(keys[name] == required[event_key(name)] for name in names),
                required.available_day <= keys[AS_OF],
            ],
        )
        return known.group_by(*names, AS_OF).agg(
            **{feature.name: known["attribute"].nunique().cast("float64")}
        )

    feature = next(f for f in CATALOGUE.base if f.name == "requirements_category_market")
    engine = Engine(random_world(1), compute)
    assert find_first_leaks(engine, feature.level, [feature]) == {feature.name}
    assert find_first_leaks(Engine(random_world(1)), feature.level, [feature]) == set()
