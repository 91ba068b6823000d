"""Returns: reasons, recent returns, open return windows and the expected return rate."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, declare_share
from features.declarations.functions import ratio
from features.declarations.kinds import Derived, Feature, FeatureFamily, SignalName, Windowed
from features.declarations.levels import Level
from features.declarations.return_evidence import (
    INPUTS,
    NARROW_LEVELS,
    OPEN_MEASURES,
    OPEN_RETURNED,
    OPEN_UNITS,
    PARAMETERS,
)
from features.declarations.return_expectation import NAME, expected_return_rate
from features.declarations.shrinkage import RETURN_RATE
from features.declarations.vocabulary import RETURN_REASONS

MATURE: Final = Topic(SignalName.RIPE_UNITS, FeatureFamily.RETURNS)
OPEN: Final = Topic(SignalName.OPEN_UNITS, FeatureFamily.RETURNS)
BACK: Final = Topic(SignalName.RETURNED_PARCELS, FeatureFamily.RETURNS)


def _declare_reason_features(reason: str, level: Level) -> tuple[Windowed, Derived]:
    words = reason.replace("_", " ")
    returned = MATURE.total(
        f"units_returned_{reason}",
        "Units of the {level} that came back as '"
        + words
        + "', of those whose return window ended",
        level=level,
        days=RETURN_RATE.days,
        unit="units",
    )
    mature = MATURE.total("units_ripe", "{level}", level=level, days=RETURN_RATE.days, unit="units")
    sentence = "Share of units of the {level} past their return window that came back as "
    sentence += f"'{words}'"
    return returned, declare_share(f"{reason}_return_rate", sentence, returned, mature)


def _declare_units_back(level: Level) -> Windowed:
    sentence = "Units of the {level}, ordered at any time, that came back"
    return BACK.total("units_back", sentence, level=level, days=28, unit="units")


_OF_OPEN: Final = {
    OPEN_UNITS: "Units of the {level} whose return window is still open, of those delivered",
    OPEN_RETURNED: "Units of the {level} that came back and whose return window is still open, "
    "of those delivered",
}

RETURNS: Final[tuple[Feature, ...]] = (
    *(
        feature
        for level in (Level.LISTING, Level.SUPPLIER_CATEGORY)
        for reason in RETURN_REASONS
        for feature in _declare_reason_features(reason, level)
    ),
    _declare_units_back(Level.LISTING),
    _declare_units_back(Level.PRODUCT),
    *(
        OPEN.total(measure, _OF_OPEN[measure], level=level, days=days, unit="units")
        for level in NARROW_LEVELS
        for measure, days in OPEN_MEASURES
    ),
    MATURE.total(
        "units_ripe",
        "Units of the {level} whose return window ended",
        level=Level.LISTING,
        days=28,
        unit="units",
    ),
    MATURE.total(
        "units_returned",
        "Units of the {level} that came back, of those whose return window ended",
        level=Level.LISTING,
        days=28,
        unit="units",
    ),
    declare_share(
        "return_rate",
        "Share of units of the {level} past their return window that came back",
        MATURE.total("units_returned", "", level=Level.LISTING, days=28, unit="units"),
        MATURE.total("units_ripe", "", level=Level.LISTING, days=28, unit="units"),
    ),
    Derived(
        name="units_back_per_ordered_28d",
        description="Units of the listing that came back in the last 28 days per unit ordered in "
        "the same days.",
        unit="ratio",
        family=FeatureFamily.RETURNS,
        inputs=("units_back_28d", "units_ordered_28d"),
        function=ratio,
    ),
    Derived(
        name=NAME,
        description="Expected return rate of the listing, from its category, localisation gaps, "
        "supplier audits, low stars and the returns of supplier, product and listing in the last "
        "180 days.",
        unit="share",
        family=FeatureFamily.RETURNS,
        high=1.0,
        inputs=INPUTS,
        parameters=PARAMETERS,
        function=expected_return_rate,
    ),
)
