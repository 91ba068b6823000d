"""Returns: recent returns, open return windows and the expected return rate."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, declare_share
from features.declarations.functions import ratio
from features.declarations.kinds import Derived, Feature, FeatureFamily, SignalName, as_evidence
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

MATURE: Final = Topic(SignalName.RIPE_UNITS, FeatureFamily.RETURNS)
OPEN: Final = Topic(SignalName.OPEN_UNITS, FeatureFamily.RETURNS)
BACK: Final = Topic(SignalName.RETURNED_PARCELS, FeatureFamily.RETURNS)


_UNITS_BACK: Final = BACK.total(
    "units_back",
    "Units of the {level}, ordered at any time, that came back",
    level=Level.LISTING,
    days=28,
    unit="units",
)
_MATURE_UNITS: Final = MATURE.total(
    "units_ripe",
    "Units of the {level} whose return window ended",
    level=Level.LISTING,
    days=28,
    unit="units",
)
_RETURNED_UNITS: Final = MATURE.total(
    "units_returned",
    "Units of the {level} that came back, of those whose return window ended",
    level=Level.LISTING,
    days=28,
    unit="units",
)


_OF_OPEN: Final = {
    OPEN_UNITS: "Units of the {level} whose return window is still open, of those delivered",
    OPEN_RETURNED: "Units of the {level} that came back and whose return window is still open, "
    "of those delivered",
}

RETURNS: Final[tuple[Feature, ...]] = (
    *as_evidence(
        _UNITS_BACK,
        *(
            OPEN.total(measure, _OF_OPEN[measure], level=level, days=days, unit="units")
            for level in NARROW_LEVELS
            for measure, days in OPEN_MEASURES
        ),
        *(_MATURE_UNITS, _RETURNED_UNITS),
    ),
    declare_share(
        "return_rate",
        "Share of units of the {level} past their return window that came back",
        _RETURNED_UNITS,
        _MATURE_UNITS,
    ),
    Derived(
        name="units_back_per_ordered_28d",
        description="Units of the listing that came back in the last 28 days per unit ordered in "
        "the same days.",
        unit="ratio",
        family=FeatureFamily.RETURNS,
        inputs=(_UNITS_BACK.name, "units_ordered_28d"),
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
