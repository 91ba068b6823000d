"""The noise floor: what a forecaster loses who knows everything but the dice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulated_market.arrays import BoolArray, FloatArray
from experiments.truth.reader import Truth

LEAST_SHARE: Final = 1e-6
LATEST_DAYS: Final = 28


@dataclass(frozen=True)
class NoiseFloor:
    """The truth's own loss on a target over some moments.

    `log_loss` is the mean cross-entropy between what came true and what was to be expected,
    weighted by the units ordered for return risk; `constant_log_loss` that of the mean;
    `standard_error` is over listings.
    """

    target: str
    moments: str
    rows: int
    mean: float
    log_loss: float
    standard_error: float
    constant_log_loss: float

    @property
    def learnable(self) -> float:
        """Return the share of the constant's loss above the truth's: what a model can win."""
        return 1 - self.log_loss / self.constant_log_loss


def noise_floors(truth: Truth) -> list[NoiseFloor]:
    """Return the floors of both targets: over all final moments, and over the latest of them."""
    moments = truth.moments()
    ones = np.ones(moments.num_rows)
    units = moments["realised_units"].to_numpy()
    targets = {
        "sell_through": ("realised_sell_through", "expected_sell_through", ones),
        "return_risk": ("realised_return_risk", "expected_return_rate", units),
    }
    floors = []
    for target, (came, expected, weight) in targets.items():
        label = moments[came].to_numpy()
        is_final = ~np.isnan(label)
        day = moments["as_of_day"].to_numpy()
        last = day[is_final].max(initial=0)
        for name, chosen in (("all", is_final), ("latest", is_final & (day > last - LATEST_DAYS))):
            estimate = moments[expected].to_numpy()
            floors.append(
                _floor(target, name, moments.filter(pa.array(chosen)), *_at(chosen, label, estimate, weight))
            )
    return floors


def _at(chosen: BoolArray, *columns: FloatArray) -> tuple[FloatArray, ...]:
    return tuple(column[chosen] for column in columns)


def _floor(
    target: str,
    name: str,
    rows: pa.Table,
    label: FloatArray,
    estimate: FloatArray,
    weight: FloatArray,
) -> NoiseFloor:
    losses = row_log_loss(label, estimate)
    mean = float(np.average(label, weights=weight))
    loss = float(np.average(losses, weights=weight))
    listing = rows["listing_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    excess = np.bincount(listing, weights=weight * (losses - loss))
    return NoiseFloor(
        target=target,
        moments=name,
        rows=label.size,
        mean=mean,
        log_loss=loss,
        standard_error=float(np.sqrt((excess**2).sum()) / weight.sum()),
        constant_log_loss=float(np.average(row_log_loss(label, np.full(label.size, mean)), weights=weight)),
    )


def row_log_loss(label: FloatArray, estimate: FloatArray) -> FloatArray:
    """Return each row's cross-entropy between the share that came true and its estimate."""
    share = np.clip(estimate, LEAST_SHARE, 1 - LEAST_SHARE)
    return np.asarray(-(label * np.log(share) + (1 - label) * np.log1p(-share)), dtype=np.float64)
