"""Supplier: what its last audit said, as evidence for the return rate and for arrivals."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic
from features.declarations.kinds import Feature, FeatureFamily, SignalName, as_evidence
from features.declarations.levels import Level

AUDITS: Final = Topic(SignalName.AUDITS, FeatureFamily.SUPPLIER)
DAYS: Final = 365

SUPPLIER: Final[tuple[Feature, ...]] = as_evidence(
    AUDITS.current(
        "audit_result",
        "Score of the last audit of the {level}, 0 (worst) to 1 (best)",
        measure="score",
        level=Level.SUPPLIER,
        unit="share",
        high=1.0,
    ),
    AUDITS.current(
        "lead_time_days",
        "Days from order to dispatch at the {level}, as of the last audit",
        measure="lead_time_days",
        level=Level.SUPPLIER,
        unit="days",
    ),
    AUDITS.total(
        "inspected_units",
        "Units of the {level} that audits inspected",
        level=Level.SUPPLIER,
        days=DAYS,
        unit="units",
    ),
    AUDITS.total(
        "defective_units",
        "Units of the {level} that audits found defective",
        level=Level.SUPPLIER,
        days=DAYS,
        unit="units",
    ),
)
