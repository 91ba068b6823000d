"""Localisation: the requirements of the market, and how far a listing meets each of them."""

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
    as_evidence,
)
from features.declarations.levels import LEVEL_TITLES, Level, name_feature
from features.declarations.vocabulary import ATTRIBUTES, CERTIFICATE

SETTINGS: Final = Topic(SignalName.LOCALISATION, FeatureFamily.LOCALISATION)
EVERY: Final = ""


def _declare_requirement_count(name: str, prefix: str, noun: str) -> InForce:
    return InForce(
        name=name_feature(name, Level.CATEGORY_MARKET),
        description=f"{noun} that are required of the {LEVEL_TITLES[Level.CATEGORY_MARKET]} now.",
        unit=noun.lower(),
        family=FeatureFamily.LOCALISATION,
        level=Level.CATEGORY_MARKET,
        signal=SignalName.REQUIREMENTS,
        prefix=prefix,
    )


def _declare_fulfilled_count(name: str, prefix: str, noun: str) -> Fulfilled:
    return Fulfilled(
        name=name,
        description=f"{noun} that are required of the listing now and that it fully meets.",
        unit=noun.lower(),
        family=FeatureFamily.LOCALISATION,
        level=Level.LISTING,
        signal=SignalName.REQUIREMENTS,
        prefix=prefix,
        states=SignalName.LOCALISATION,
    )


def _declare_requirement_flag(attribute: str) -> Required:
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


def _declare_met_share(attribute: str) -> Latest:
    return SETTINGS.current(
        f"{attribute}_met_share",
        f"How far the {attribute.replace('_', ' ')} of the {{level}} is localised, as last set",
        measure=attribute,
        level=Level.LISTING,
        unit="share",
        high=1.0,
    )


def _declare_gap_share(attribute: str) -> Derived:
    return Derived(
        name=f"{attribute}_gap_share",
        description=f"How far the listing's {attribute.replace('_', ' ')} isn't localised; 0 "
        "if the market doesn't require it, null if it was never set.",
        unit="share",
        family=FeatureFamily.LOCALISATION,
        high=1.0,
        inputs=(_declare_requirement_flag(attribute).name, _declare_met_share(attribute).name),
        function=gap,
    )


LOCALISATION: Final[tuple[Feature, ...]] = (
    *as_evidence(
        *(_declare_met_share(attribute) for attribute in ATTRIBUTES),
        *(_declare_requirement_flag(attribute) for attribute in ATTRIBUTES),
        _declare_requirement_count("requirements", EVERY, "Attributes"),
        _declare_requirement_count("certificates_required", CERTIFICATE, "Certificates"),
        _declare_fulfilled_count("requirements_met", EVERY, "Attributes"),
        _declare_fulfilled_count("certificates_held", CERTIFICATE, "Certificates"),
    ),
    *(_declare_gap_share(attribute) for attribute in ATTRIBUTES),
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
