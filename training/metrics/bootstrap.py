"""Estimate the uncertainty of differences by the cluster bootstrap over products.

Rows of one product have similar outcomes, so that resampling single rows would give intervals that
are too narrow. Whole products are drawn instead (Cameron, Gelbach and Miller 2008, "Bootstrap-based
improvements for inference with clustered errors").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray, IntArray

RESAMPLES: Final = 1000
CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class BootstrapInterval:
    """A weighted mean and the interval of its resamples at `CONFIDENCE`."""

    mean: float
    low: float
    high: float


def bootstrap_means(
    values: Mapping[str, FloatArray],
    weight: FloatArray,
    clusters: IntArray,
    *,
    random_state: int,
) -> dict[str, BootstrapInterval]:
    """Return the weighted mean of each of `values` with its bootstrap interval.

    All arrays have shape (rows,); `clusters` numbers the product of each row. All values share the
    resamples. Only sums by product are resampled, which is fast.
    """
    sums = cluster_sums([*values.values(), np.ones_like(weight)], weight, clusters)
    draws = np.random.default_rng(random_state)
    totals = np.stack(
        [sums[draws.integers(len(sums), size=len(sums))].sum(axis=0) for _ in range(RESAMPLES)]
    )
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(totals[:, :-1] / totals[:, -1:], [tail, 1 - tail], axis=0)
    mean = sums.sum(axis=0)
    mean = mean[:-1] / mean[-1]
    return {
        name: BootstrapInterval(float(mean[index]), float(low[index]), float(high[index]))
        for index, name in enumerate(values)
    }


def cluster_sums(values: list[FloatArray], weight: FloatArray, clusters: IntArray) -> FloatArray:
    """Return the weighted sums of values by cluster, shape (clusters, values)."""
    index = np.unique(clusters, return_inverse=True)[1]
    columns = [np.bincount(index, weights=weight * column) for column in values]
    return np.stack(columns, axis=1)
