"""Measure drift from a reference, and how much drift chance alone would show.

The population stability index (PSI) compares bins with shares p of the reference and q of the
values: it is the sum of `(q - p) * log(q / p)`. A PSI of 0.1 is worth a look, 0.25 is an alarm
(Siddiqi 2006, "Credit Risk Scorecards"). These limits are for large samples. Without drift, the
index of n independent values against N is about `(1/n + 1/N)` times a chi-square variable with
`bins - 1` degrees of freedom (Yurdakul 2018, "Statistical properties of population stability
index"). So an index is reported only above the value that chance would reach in one of all columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import chdtri

from features.monitoring.reference_stats import ColumnStats
from features.runtime.arrays import FloatArray

NOTICE: Final = 0.1
ALARM: Final = 0.25
CHANCE: Final = 0.05
"""The chance that any column is reported although none drifted."""

MIN_EXPECTED: Final = 5
"""Independent values that each bin needs for the chi-square approximation (Cochran 1954)."""


@dataclass(frozen=True)
class Bins:
    """Half-open bins (-inf, edges[0]], ..., (edges[-1], inf) with the reference's shares."""

    edges: FloatArray
    shares: FloatArray


def build_bins(reference: ColumnStats, subjects: int) -> Bins:
    """Return bins between deciles, merged until each expects `MIN_EXPECTED` of the subjects.

    Equal deciles become one edge. At least one edge stays: the one that divides the values most
    evenly. A constant reference has bins below, at and above its value.
    """
    steps = dict(zip(reference.deciles, reference.up_to, strict=True))
    if len(steps) == 1:
        (constant,) = steps
        edges = np.array([np.nextafter(constant, -np.inf), constant])
        return Bins(edges, np.array([0.0, 1.0, 0.0]))
    min_share = MIN_EXPECTED / subjects
    inner = list(steps.items())[:-1]
    kept: list[tuple[float, float]] = []
    for edge, share in inner:
        before = kept[-1][1] if kept else 0.0
        if min(share - before, 1 - share) >= min_share:
            kept.append((edge, share))
    kept = kept or [min(inner, key=lambda step: abs(step[1] - 0.5))]
    cumulative = np.array([0.0, *(share for _, share in kept), 1.0])
    return Bins(np.array([edge for edge, _ in kept]), np.diff(cumulative))


def compute_shares(bins: Bins, values: FloatArray) -> FloatArray:
    """Return the share of the known values in each bin."""
    bin_numbers = np.searchsorted(bins.edges, values, side="left")
    return np.bincount(bin_numbers, minlength=len(bins.shares)) / values.size


def stability_index(reference: FloatArray, current: FloatArray, subjects: int) -> float:
    """Return the PSI of current shares; half a subject is added to each bin, so none is empty."""
    p, q = (
        (shares * subjects + 0.5) / (subjects + 0.5 * len(shares))
        for shares in (reference, current)
    )
    return float(((q - p) * np.log(q / p)).sum())


def chance_limit(bins: int, subjects: int, columns: int) -> float:
    """Return the index that any of `columns` columns exceeds by chance with probability `CHANCE`.

    The reference counts as many subjects as the values, not as many as it has rows: weekly rows of
    the same listing are not independent. It never has fewer subjects.
    """
    return float(chdtri(bins - 1, CHANCE / columns)) * 2 / subjects
