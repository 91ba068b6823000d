"""Supplier: audit results, lead time and policy record."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, declare_share
from features.declarations.kinds import Feature, FeatureFamily, SignalName, Windowed, as_evidence
from features.declarations.levels import Level

AUDITS: Final = Topic(SignalName.AUDITS, FeatureFamily.SUPPLIER)
POLICY: Final = Topic(SignalName.POLICY_EVENTS, FeatureFamily.SUPPLIER)
DAYS: Final = 365


def _declare_audit_total(measure: str, sentence: str, unit: str) -> Windowed:
    return AUDITS.total(measure, sentence, level=Level.SUPPLIER, days=DAYS, unit=unit)


_INSPECTED: Final = _declare_audit_total(
    "inspected_units", "Units of the {level} that audits inspected", "units"
)
_DEFECTIVE: Final = _declare_audit_total(
    "defective_units", "Units of the {level} that audits found defective", "units"
)

SUPPLIER: Final[tuple[Feature, ...]] = (
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
    *as_evidence(_INSPECTED, _DEFECTIVE),
    declare_share(
        "defect_rate",
        "Share of the units of the {level} that audits inspected and found defective",
        _DEFECTIVE,
        _INSPECTED,
    ),
    POLICY.since_last(
        "days_since_policy_event",
        "the last violation or safety case of the {level}",
        measure="policy_events",
        level=Level.LISTING,
    ),
    POLICY.total(
        "policy_events",
        "Violations and safety cases of the {level}",
        level=Level.SUPPLIER,
        days=DAYS,
        unit="events",
    ),
)
