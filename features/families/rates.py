"""Rates: sell-through, return and repurchase so far, their counts at every level and pooled."""

from __future__ import annotations

from typing import Final

from features.declarations import Derived, Family, Feature, SignalName, Windowed
from features.derived import ratio
from features.levels import LEVEL_TITLES, Level
from features.pooling import (
    CHAIN,
    REPURCHASE_RATE,
    RETURN_RATE,
    SELL_THROUGH_RATE,
    Rate,
    own_weight,
    pooled_rate,
)

_SUBJECTS: Final = {
    "units_offered": "Units offered whose horizon is over",
    "units_sold": "Units sold of those offered whose horizon is over",
    "units_ripe": "Units ordered whose return window is over",
    "units_returned": "Units that came back of those whose return window is over",
    "buyers_ripe": "First-time buyers whose repurchase window is over",
    "buyers_repeated": "First-time buyers who bought again, of those whose window is over",
}


def _count(
    rate: Rate, measure: str, level: Level, *, signal: SignalName, family: Family
) -> Windowed:
    return Windowed(
        name=rate.column(measure, level),
        description=f"{_SUBJECTS[measure]}, of the {LEVEL_TITLES[level]}, "
        f"over within the last {rate.days} days.",
        unit="buyers" if measure.startswith("buyers") else "units",
        family=family,
        level=level,
        signal=signal,
        measure=measure,
        days=rate.days,
    )


def _family_of(rate: Rate, *, signal: SignalName, family: Family) -> tuple[Feature, ...]:
    """Declare a rate's counts at each level, its raw and pooled value and its own weight."""
    counts = [
        _count(rate, measure, level, signal=signal, family=family)
        for level in reversed(CHAIN)
        for measure in (rate.successes, rate.trials)
    ]
    own = tuple(rate.column(measure, Level.LISTING) for measure in (rate.successes, rate.trials))
    raw = Derived(
        name=f"{rate.name}_{rate.days}d",
        description=f"The listing's own {rate.name.replace('_', ' ')} of the last "
        f"{rate.days} days.",
        unit="share",
        family=family,
        high=1.0,
        inputs=own,
        function=ratio,
    )
    pooled = Derived(
        name=f"pooled_{rate.name}_{rate.days}d",
        description=f"The {rate.name.replace('_', ' ')}, shrunk from market through category "
        "and product to the listing.",
        unit="share",
        family=family,
        high=1.0,
        inputs=rate.inputs,
        parameters=rate.parameters,
        function=pooled_rate,
    )
    weight = Derived(
        name=f"own_weight_{rate.name}_{rate.days}d",
        description=f"Weight of the listing's own evidence in its pooled "
        f"{rate.name.replace('_', ' ')}.",
        unit="share",
        family=family,
        high=1.0,
        inputs=own[1:],
        parameters=rate.parameters[-1:],
        function=own_weight,
    )
    return (*counts, raw, pooled, weight)


RATES: Final[tuple[Feature, ...]] = (
    *_family_of(SELL_THROUGH_RATE, signal=SignalName.LOTS, family=Family.DEMAND),
    *_family_of(RETURN_RATE, signal=SignalName.RIPE_UNITS, family=Family.RETURNS),
    *_family_of(REPURCHASE_RATE, signal=SignalName.FIRST_PURCHASES, family=Family.REPURCHASE),
)
