"""Rates of sell-through, return and repurchase: counts at each level, raw and pooled rates."""

from __future__ import annotations

from typing import Final

from features.declarations.functions import ratio
from features.declarations.kinds import (
    Derived,
    Feature,
    FeatureFamily,
    SignalName,
    Windowed,
    as_evidence,
)
from features.declarations.levels import LEVEL_TITLES, Level
from features.declarations.shrinkage import (
    CHAIN,
    REPURCHASE_RATE,
    RETURN_RATE,
    SELL_THROUGH_RATE,
    Rate,
    own_weight,
    pooled_rate,
)

_SUBJECTS: Final = {
    "units_offered": "Units of the {level} put on sale, in lots whose horizon ended",
    "units_sold": "Units of the {level} sold within their lot's horizon, where it ended",
    "units_ripe": "Units of the {level} ordered whose return window ended",
    "units_returned": "Units of the {level} that came back, of those whose return window ended",
    "buyers_ripe": "First-time buyers of a single listing, counted for the {level}, whose "
    "repurchase window ended",
    "buyers_repeated": "First-time buyers of a single listing, counted for the {level}, who bought "
    "it again and whose repurchase window ended",
}


def _declare_count(
    rate: Rate, measure: str, level: Level, *, signal: SignalName, family: FeatureFamily
) -> Windowed:
    return Windowed(
        name=rate.column(measure, level),
        description=_SUBJECTS[measure].format(level=LEVEL_TITLES[level])
        + f" in the last {rate.days} days.",
        unit="buyers" if measure.startswith("buyers") else "units",
        family=family,
        level=level,
        signal=signal,
        measure=measure,
        days=rate.days,
    )


def _declare_rate_features(
    rate: Rate, *, signal: SignalName, family: FeatureFamily
) -> tuple[Feature, ...]:
    """Declare a rate: raw value, pooled value and weight of own evidence, from counts."""
    counts = [
        _declare_count(rate, measure, level, signal=signal, family=family)
        for level in reversed(CHAIN)
        for measure in (rate.successes, rate.trials)
    ]
    return (*as_evidence(*counts), *_declare_shares(rate, family))


def _declare_shares(rate: Rate, family: FeatureFamily) -> tuple[Derived, Derived, Derived]:
    label = rate.name.removesuffix("_rate").replace("_", "-") + " rate"
    own = tuple(rate.column(measure, Level.LISTING) for measure in (rate.successes, rate.trials))
    raw = Derived(
        name=f"{rate.name}_{rate.days}d",
        description=f"{label.capitalize()} of the listing itself, of the last {rate.days} days.",
        unit="share",
        family=family,
        high=1.0,
        inputs=own,
        function=ratio,
    )
    pooled = Derived(
        name=f"pooled_{rate.name}_{rate.days}d",
        description=f"{label.capitalize()} of the last {rate.days} days, shrunk from market "
        "through category, supplier and product to the listing.",
        unit="share",
        family=family,
        high=1.0,
        inputs=rate.inputs,
        parameters=rate.parameters,
        function=pooled_rate,
    )
    weight = Derived(
        name=f"own_weight_{rate.name}_{rate.days}d",
        description=f"Weight of the listing's own evidence in its pooled {label}, of the last "
        f"{rate.days} days.",
        unit="share",
        family=family,
        high=1.0,
        inputs=own[1:],
        parameters=rate.parameters[-1:],
        function=own_weight,
    )
    return raw, pooled, weight


RATES: Final[tuple[Feature, ...]] = (
    *_declare_rate_features(SELL_THROUGH_RATE, signal=SignalName.LOTS, family=FeatureFamily.DEMAND),
    *_declare_rate_features(
        RETURN_RATE, signal=SignalName.RIPE_UNITS, family=FeatureFamily.RETURNS
    ),
    *_declare_rate_features(
        REPURCHASE_RATE, signal=SignalName.REPURCHASES, family=FeatureFamily.REPURCHASE
    ),
)
