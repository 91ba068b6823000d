"""Compute confidence intervals of the differences in log loss to the default, by product.

Rounds of a data set share its products, and rows of a product resemble each other. Neither are
independent, so products are resampled with all their rounds (training/metrics/bootstrap.py).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import FloatArray
from training.data.sample import Sample
from training.data.training_set import EncodedColumn
from training.metrics.bootstrap import BootstrapInterval, bootstrap_means
from training.metrics.metrics import row_log_loss


@dataclass(frozen=True)
class LossDifferences:
    """The products of a latest slice with their differences to the default's log loss."""

    products: tuple[str, ...]
    share: FloatArray
    """Each product's share of the slice's weight, shape (products,)."""
    excess: Mapping[str, FloatArray]
    """By contestant: mean log loss minus the default's on each product's rows, (products,)."""


def compute_loss_differences(
    latest: Sample,
    products: EncodedColumn,
    estimates: Mapping[str, Sequence[FloatArray]],
    *,
    default: str,
) -> LossDifferences:
    """Compare estimates of the latest slice, (rows,), by product; losses are means over draws."""
    codes, position = np.unique(products.codes[latest.rows], return_inverse=True)
    weight = np.bincount(position, weights=latest.weight)
    loss = {
        name: np.mean([row_log_loss(latest.label, estimate) for estimate in draws], axis=0)
        for name, draws in estimates.items()
    }
    excess = {
        name: np.bincount(position, weights=latest.weight * (losses - loss[default])) / weight
        for name, losses in loss.items()
    }
    return LossDifferences(
        tuple(products.names[code] for code in codes), weight / weight.sum(), excess
    )


def pool_differences(
    rounds: Sequence[tuple[Hashable, LossDifferences]],
) -> dict[str, BootstrapInterval]:
    """Return each contestant's mean difference to the default over rounds, as an interval.

    Each round comes with the key of its market: equal product names are one product within a
    market only.
    """
    clusters: dict[tuple[Hashable, str], int] = {}
    codes = [
        clusters.setdefault((market, product), len(clusters))
        for market, differences in rounds
        for product in differences.products
    ]
    names = rounds[0][1].excess
    return bootstrap_means(
        {
            name: np.concatenate([differences.excess[name] for _, differences in rounds])
            for name in names
        },
        np.concatenate([differences.share for _, differences in rounds]),
        np.array(codes),
        random_state=0,
    )
