"""Checks of features' values against a reference: how often they are null, and how distributed."""

from __future__ import annotations

import numpy as np

from features.monitoring.drift import (
    ALARM,
    NOTICE,
    bins_of,
    chance_limit,
    shares_in,
    stability_index,
)
from features.monitoring.reference_stats import ColumnStats
from features.monitoring.report import Check, CheckReport, Finding, Severity, bounded
from features.monitoring.value_checks import CheckedRows, Reference
from features.runtime.arrays import FloatArray


def check_null_shares(rows: CheckedRows, reference: Reference) -> CheckReport:
    """Find features that are null more or less often than in the reference.

    Null and known are two bins, judged as drift is: a share that goes from 0 to a twentieth counts
    as much as one that goes from a half to two thirds.
    """
    columns = list(rows.columns())
    findings = []
    for declared, column in columns:
        before, now = reference[declared.name].missing_share, float(np.isnan(column).mean())
        subjects = rows.subjects_of(declared, np.ones(column.size, dtype=np.bool_))
        index = stability_index(_both(before), _both(now), subjects)
        severity = _severity(index, chance_limit(2, subjects, len(columns)))
        if severity is not None:
            says = f"null in {now:.1%} of the rows, in {before:.1%} of the reference"
            findings.append(
                Finding(subject=declared.name, severity=severity, size=index, says=says)
            )
    return bounded(Check.NULL_SHARE, len(columns), findings)


def check_drift(rows: CheckedRows, reference: Reference) -> CheckReport:
    """Find features whose known values are distributed otherwise than in the reference."""
    columns = [
        (declared, column)
        for declared, column in rows.columns()
        if reference[declared.name].deciles and not np.isnan(column).all()
    ]
    findings, vague = [], 0
    for declared, column in columns:
        is_known = ~np.isnan(column)
        known, subjects = column[is_known], rows.subjects_of(declared, is_known)
        bins = bins_of(reference[declared.name], subjects)
        index = stability_index(bins.shares, shares_in(bins, known), subjects)
        limit = chance_limit(len(bins.shares), subjects, len(columns))
        vague += limit > ALARM
        severity = _severity(index, limit)
        if severity is not None:
            says = _moved(known, reference[declared.name], index, limit)
            findings.append(
                Finding(subject=declared.name, severity=severity, size=index, says=says)
            )
    return bounded(Check.DRIFT, len(columns), findings, _vague(vague))


def _both(missing_share: float) -> FloatArray:
    return np.array([missing_share, 1 - missing_share])


def _severity(index: float, limit: float) -> Severity | None:
    if index <= max(NOTICE, limit):
        return None
    return Severity.ALARM if index > ALARM else Severity.NOTICE


def _moved(known: FloatArray, reference: ColumnStats, index: float, limit: float) -> str:
    now, before = float(np.median(known)), reference.deciles[len(reference.deciles) // 2]
    return f"index {index:.2f} (chance: {limit:.2f}); median {before:.6g} then, {now:.6g} now"


def _vague(features: int) -> list[str]:
    if not features:
        return []
    few = f"{features:,} features have so few independent values that chance alone could move"
    return [f"{few} them by more than {ALARM}: of them only larger moves are reported."]
