"""Compare features with a reference: their null shares and their distributions."""

from __future__ import annotations

import numpy as np

from features.monitoring.drift import (
    ALARM,
    NOTICE,
    build_bins,
    chance_limit,
    compute_shares,
    stability_index,
)
from features.monitoring.reference_stats import ColumnStats
from features.monitoring.report import CheckKind, CheckReport, Finding, Severity, keep_worst
from features.monitoring.value_checks import CheckedRows, Reference
from features.runtime.arrays import FloatArray


def check_null_shares(rows: CheckedRows, reference: Reference) -> CheckReport:
    """Find features that are null more or less often than in the reference.

    Null and known are two bins with a stability index, as for drift: a change near 0 or 1 counts
    more than the same change near a half.
    """
    columns = list(rows.inputs())
    findings = []
    for declared, column in columns:
        before, now = reference[declared.name].missing_share, float(np.isnan(column).mean())
        subjects = rows.count_subjects(declared, np.ones(column.size, dtype=np.bool_))
        index = stability_index(_both_shares(before), _both_shares(now), subjects)
        severity = _rate_severity(index, chance_limit(2, subjects, len(columns)))
        if severity is not None:
            says = f"null in {now:.1%} of the rows, in {before:.1%} of the reference"
            findings.append(
                Finding(subject=declared.name, severity=severity, size=index, says=says)
            )
    return keep_worst(CheckKind.NULL_SHARE, len(columns), findings)


def check_drift(rows: CheckedRows, reference: Reference) -> CheckReport:
    """Find features whose known values have another distribution than in the reference."""
    columns = [
        (declared, column)
        for declared, column in rows.inputs()
        if reference[declared.name].deciles and not np.isnan(column).all()
    ]
    findings, uncertain = [], 0
    for declared, column in columns:
        is_known = ~np.isnan(column)
        known, subjects = column[is_known], rows.count_subjects(declared, is_known)
        bins = build_bins(reference[declared.name], subjects)
        index = stability_index(bins.shares, compute_shares(bins, known), subjects)
        limit = chance_limit(len(bins.shares), subjects, len(columns))
        uncertain += limit > ALARM
        severity = _rate_severity(index, limit)
        if severity is not None:
            says = _describe_shift(known, reference[declared.name], index, limit)
            findings.append(
                Finding(subject=declared.name, severity=severity, size=index, says=says)
            )
    return keep_worst(CheckKind.DRIFT, len(columns), findings, _uncertainty_remarks(uncertain))


def _both_shares(missing_share: float) -> FloatArray:
    return np.array([missing_share, 1 - missing_share])


def _rate_severity(index: float, limit: float) -> Severity | None:
    if index <= max(NOTICE, limit):
        return None
    return Severity.ALARM if index > ALARM else Severity.NOTICE


def _describe_shift(known: FloatArray, reference: ColumnStats, index: float, limit: float) -> str:
    now, before = float(np.median(known)), reference.deciles[len(reference.deciles) // 2]
    return f"index {index:.2f} (chance: {limit:.2f}); median {before:.6g} then, {now:.6g} now"


def _uncertainty_remarks(features: int) -> list[str]:
    if not features:
        return []
    few = f"{features:,} features have few independent values: chance alone can give them an index"
    return [f"{few} above {ALARM}. For them, only larger indexes are reported."]
