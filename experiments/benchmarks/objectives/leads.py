"""How sure it is that a contestant loses less than the default: differences product by product.

Rounds of a data set share its products, and rows of a product resemble each other, so that neither
rounds nor rows count as independent: products are resampled, with all their rounds at once
(training/metrics/bootstrap.py).
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
    """What the products of a latest slice say of the differences to the default's log loss."""

    products: tuple[str, ...]
    share: FloatArray
    """Each product's share of the slice's weight, shape (products,)."""
    more: Mapping[str, FloatArray]
    """By contestant: how much more log loss than the default it has on each product's rows, in the
    mean; shape (products,)."""


def compute_loss_differences(
    latest: Sample,
    products: EncodedColumn,
    estimates: Mapping[str, Sequence[FloatArray]],
    *,
    default: str,
) -> LossDifferences:
    """Compare estimates of the latest slice, (rows,), by product, in the mean over draws."""
    codes, place = np.unique(products.codes[latest.rows], return_inverse=True)
    weight = np.bincount(place, weights=latest.weight)
    loss = {
        name: np.mean([row_log_loss(latest.label, estimate) for estimate in draws], axis=0)
        for name, draws in estimates.items()
    }
    more = {
        name: np.bincount(place, weights=latest.weight * (one - loss[default])) / weight
        for name, one in loss.items()
    }
    return LossDifferences(
        tuple(products.names[code] for code in codes), weight / weight.sum(), more
    )


def pool_differences(
    rounds: Sequence[tuple[Hashable, LossDifferences]],
) -> dict[str, BootstrapInterval]:
    """Return each contestant's difference to the default, in the mean over rounds, as an interval.

    A round comes with what its products are of: equal names in one market are one product, in
    another they aren't.
    """
    places: dict[tuple[Hashable, str], int] = {}
    clusters = [
        places.setdefault((market, product), len(places))
        for market, one in rounds
        for product in one.products
    ]
    names = rounds[0][1].more
    return bootstrap_means(
        {name: np.concatenate([one.more[name] for _, one in rounds]) for name in names},
        np.concatenate([one.share for _, one in rounds]),
        np.array(clusters),
        random_state=0,
    )
