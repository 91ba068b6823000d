"""Drift: how far values have moved from a reference, and whether chance moves them as far.

The population stability index (PSI) of bins with shares p of the reference and q of the values is
the sum of `(q - p) * log(q / p)`; 0.1 is worth a look and 0.25 an alarm (Siddiqi 2006, "Credit Risk
Scorecards"). Those limits are for large samples: without any drift the index of n independent
values against N is about `(1/n + 1/N)` times a chi-square variable with `bins - 1` degrees of
freedom (Yurdakul 2018, "Statistical properties of population stability index"), whose mean is
`bins - 1`. So an index counts only beyond what chance gives once among all the columns looked at.
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
"""The chance that any of the columns looked at is reported without drift."""

MIN_EXPECTED: Final = 5
"""Independent values that a bin should hold for the chi-square to be right (Cochran 1954)."""


@dataclass(frozen=True)
class Bins:
    """Half-open bins (-inf, edges[0]], ..., (edges[-1], inf) with the reference's shares."""

    edges: FloatArray
    shares: FloatArray


def build_bins(reference: ColumnStats, subjects: int) -> Bins:
    """Return bins between deciles, merged until each expects `MIN_EXPECTED` of the subjects.

    Equal deciles are one edge, with the share of values up to it. At least one edge stays, the one
    that parts the values most evenly; a constant reference has bins below, at and above it.
    """
    steps = dict(zip(reference.deciles, reference.up_to, strict=True))
    if len(steps) == 1:
        (constant,) = steps
        edges = np.array([np.nextafter(constant, -np.inf), constant])
        return Bins(edges, np.array([0.0, 1.0, 0.0]))
    least = MIN_EXPECTED / subjects
    inner = list(steps.items())[:-1]
    kept: list[tuple[float, float]] = []
    for edge, share in inner:
        before = kept[-1][1] if kept else 0.0
        if min(share - before, 1 - share) >= least:
            kept.append((edge, share))
    kept = kept or [min(inner, key=lambda step: abs(step[1] - 0.5))]
    cumulative = np.array([0.0, *(share for _, share in kept), 1.0])
    return Bins(np.array([edge for edge, _ in kept]), np.diff(cumulative))


def compute_shares(bins: Bins, values: FloatArray) -> FloatArray:
    """Return the share of the known values in each bin."""
    places = np.searchsorted(bins.edges, values, side="left")
    return np.bincount(places, minlength=len(bins.shares)) / values.size


def stability_index(reference: FloatArray, found: FloatArray, subjects: int) -> float:
    """Return the PSI of shares; each bin is given half a subject, so that none is empty."""
    p, q = (
        (shares * subjects + 0.5) / (subjects + 0.5 * len(shares)) for shares in (reference, found)
    )
    return float(((q - p) * np.log(q / p)).sum())


def chance_limit(bins: int, subjects: int, columns: int) -> float:
    """Return the index that chance exceeds in one of `columns` columns with chance `CHANCE`.

    The reference is taken to rest on as many subjects, as it does on no fewer: a row a week of
    the same listing says little that is new, and the reference's rows are such rows too.
    """
    return float(chdtri(bins - 1, CHANCE / columns)) * 2 / subjects
