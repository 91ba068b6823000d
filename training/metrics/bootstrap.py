"""How sure a difference is: the cluster bootstrap over products.

Rows of one product resemble each other, so that resampling rows would promise too much; whole
products are drawn instead (Cameron, Gelbach and Miller 2008, "Bootstrap-based improvements for
inference with clustered errors").
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
    """A weighted mean and the interval that holds 95 % of its resamples."""

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

    All arrays have shape (rows,); `clusters` says which product a row is of. All values share
    the resamples. Only sums by product are resampled, which is why it is quick.
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
        name: BootstrapInterval(float(mean[place]), float(low[place]), float(high[place]))
        for place, name in enumerate(values)
    }


def cluster_sums(values: list[FloatArray], weight: FloatArray, clusters: IntArray) -> FloatArray:
    """Return the weighted sums of values by cluster, shape (clusters, values)."""
    place = np.unique(clusters, return_inverse=True)[1]
    return np.stack([np.bincount(place, weights=weight * one) for one in values], axis=1)
