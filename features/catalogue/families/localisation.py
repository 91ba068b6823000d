"""Localisation: what the market requires, what of it is met, attribute by attribute."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic
from features.declarations.functions import gap, missing, share
from features.declarations.kinds import (
    Derived,
    Feature,
    FeatureFamily,
    Fulfilled,
    InForce,
    Latest,
    Required,
    SignalName,
)
from features.declarations.levels import LEVEL_TITLES, Level, name_feature
from features.declarations.vocabulary import ATTRIBUTES, CERTIFICATE

SETTINGS: Final = Topic(SignalName.LOCALISATION, FeatureFamily.LOCALISATION)
EVERY: Final = ""


def _requirement_count(name: str, prefix: str, what: str) -> InForce:
    return InForce(
        name=name_feature(name, Level.CATEGORY_MARKET),
        description=f"{what} that are required of the {LEVEL_TITLES[Level.CATEGORY_MARKET]} now.",
        unit=what.lower(),
        family=FeatureFamily.LOCALISATION,
        level=Level.CATEGORY_MARKET,
        signal=SignalName.REQUIREMENTS,
        prefix=prefix,
    )


def _met_count(name: str, prefix: str, what: str) -> Fulfilled:
    return Fulfilled(
        name=name,
        description=f"{what} that are required of the listing now and that it fully meets.",
        unit=what.lower(),
        family=FeatureFamily.LOCALISATION,
        level=Level.LISTING,
        signal=SignalName.REQUIREMENTS,
        prefix=prefix,
        states=SignalName.LOCALISATION,
    )


def _requirement_flag(attribute: str) -> Required:
    return Required(
        name=f"is_{attribute}_required_category_market",
        description=f"Whether the category must have its {attribute.replace('_', ' ')} localised "
        "in the market now.",
        unit="0 or 1",
        family=FeatureFamily.LOCALISATION,
        high=1.0,
        level=Level.CATEGORY_MARKET,
        signal=SignalName.REQUIREMENTS,
        attribute=attribute,
    )


def _value(attribute: str) -> Latest:
    return SETTINGS.current(
        f"{attribute}_met_share",
        f"How far the {attribute.replace('_', ' ')} of the {{level}} is localised, as last set",
        measure=attribute,
        level=Level.LISTING,
        unit="share",
        high=1.0,
    )


def _gap(attribute: str) -> Derived:
    return Derived(
        name=f"{attribute}_gap_share",
        description=f"How far the listing's {attribute.replace('_', ' ')} isn't localised; 0 "
        "where it needn't be, null where it was never set.",
        unit="share",
        family=FeatureFamily.LOCALISATION,
        high=1.0,
        inputs=(_requirement_flag(attribute).name, _value(attribute).name),
        function=gap,
    )


LOCALISATION: Final[tuple[Feature, ...]] = (
    *(_value(attribute) for attribute in ATTRIBUTES),
    *(_requirement_flag(attribute) for attribute in ATTRIBUTES),
    *(_gap(attribute) for attribute in ATTRIBUTES),
    _requirement_count("requirements", EVERY, "Attributes"),
    _requirement_count("certificates_required", CERTIFICATE, "Certificates"),
    _met_count("requirements_met", EVERY, "Attributes"),
    _met_count("certificates_held", CERTIFICATE, "Certificates"),
    Derived(
        name="requirement_met_share",
        description="Share of the attributes required of the listing now that it fully meets.",
        unit="share",
        family=FeatureFamily.LOCALISATION,
        high=1.0,
        inputs=("requirements_met", "requirements_category_market"),
        function=share,
    ),
    Derived(
        name="certificates_missing",
        description="Certificates required of the listing now that it doesn't hold.",
        unit="certificates",
        family=FeatureFamily.LOCALISATION,
        inputs=("certificates_required_category_market", "certificates_held"),
        function=missing,
    ),
    SETTINGS.since_last(
        "days_since_localisation_change",
        "an attribute of the {level} was last set",
        measure="changes",
        level=Level.LISTING,
    ),
)
