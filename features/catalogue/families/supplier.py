"""Supplier: audit results, lead time and policy record."""

from __future__ import annotations

from typing import Final

from features.catalogue.families.topic import Topic, declare_share
from features.declarations.kinds import Feature, FeatureFamily, Lowest, SignalName, Windowed
from features.declarations.levels import Level

AUDITS: Final = Topic(SignalName.AUDITS, FeatureFamily.SUPPLIER)
POLICY: Final = Topic(SignalName.POLICY_EVENTS, FeatureFamily.SUPPLIER)
DAYS: Final = 365


def _declare_audit_total(measure: str, sentence: str, unit: str) -> Windowed:
    return AUDITS.total(measure, sentence, level=Level.SUPPLIER, days=DAYS, unit=unit)


def _declare_policy_record(level: Level) -> tuple[Feature, ...]:
    """Declare the violations and safety cases of a level."""
    return (
        POLICY.total(
            "policy_events",
            "Violations and safety cases of the {level}",
            level=level,
            days=DAYS,
            unit="events",
        ),
        POLICY.total(
            "severity",
            "Severity (1 to 3), summed over violations and safety cases of the {level}",
            level=level,
            days=DAYS,
            unit="severity points",
            name="policy_severity",
        ),
        POLICY.since_last(
            "days_since_policy_event",
            "the last violation or safety case of the {level}",
            measure="policy_events",
            level=level,
        ),
    )


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
    Lowest(
        name="lowest_audit_result_supplier_365d",
        description="Lowest score of the audits of the supplier in the last 365 days.",
        unit="share",
        family=FeatureFamily.SUPPLIER,
        high=1.0,
        level=Level.SUPPLIER,
        signal=SignalName.AUDITS,
        measure="score",
        days=DAYS,
    ),
    AUDITS.current(
        "lead_time_days",
        "Days from order to dispatch at the {level}, as of the last audit",
        measure="lead_time_days",
        level=Level.SUPPLIER,
        unit="days",
    ),
    _declare_audit_total("audits", "Audits of the {level}", "audits"),
    *(_INSPECTED, _DEFECTIVE),
    declare_share(
        "defect_rate",
        "Share of the units of the {level} that audits inspected and found defective",
        _DEFECTIVE,
        _INSPECTED,
    ),
    AUDITS.since_last(
        "days_since_audit", "the last audit of the {level}", measure="audits", level=Level.SUPPLIER
    ),
    *_declare_policy_record(Level.LISTING),
    *_declare_policy_record(Level.SUPPLIER),
    POLICY.total(
        "safety_events",
        "Safety cases of listings of the {level}",
        level=Level.CATEGORY_MARKET,
        days=DAYS,
        unit="events",
    ),
)
